#include "pipe/table_map.h"

#include <fmt/format.h>

namespace rt {

Result<TableMap> TableMap::parse(const std::vector<std::string>& words) {
  TableMap map;
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    if (equals == word.npos) {
      return fail(Code::usage, fmt::format("\"{}\" maps no table to another", word),
                  "write --map orders=archive.orders");
    }
    TableName from = RT_TRY(parse_table_name(word.substr(0, equals)));
    TableName to = RT_TRY(parse_table_name(word.substr(equals + 1)));
    map.names_.emplace_back(std::move(from), std::move(to));
  }
  return map;
}

RecordView TableMap::apply(const RecordView& record) {
  // 'R', u32 oid, schema, NUL, name, NUL, ..: PostgreSQL 15, section 55.9.
  constexpr std::size_t kNames = 5;
  const std::string_view body = record.body;
  if (names_.empty() || record.kind != RecordKind::wal || body.size() < kNames || body[0] != 'R') {
    return record;
  }
  const std::size_t schema_end = body.find('\0', kNames);
  if (schema_end == body.npos) return record;
  const std::size_t name_end = body.find('\0', schema_end + 1);
  if (name_end == body.npos) return record;
  const std::string_view schema = body.substr(kNames, schema_end - kNames);
  const std::string_view name = body.substr(schema_end + 1, name_end - schema_end - 1);
  for (const auto& [from, to] : names_) {
    if (from.schema != schema || from.table != name) continue;
    scratch_.assign(body.substr(0, kNames));
    scratch_ += to.schema;
    scratch_ += '\0';
    scratch_ += to.table;
    scratch_ += body.substr(name_end);
    RecordView renamed = record;
    renamed.body = scratch_;
    return renamed;
  }
  return record;
}

}  // namespace rt

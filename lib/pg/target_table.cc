#include "pg/target_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace rt {
namespace {

constexpr const char* kColumnsSql =
    "SELECT a.attname, a.atttypid, a.attgenerated <> '', a.attidentity = 'a', c.relkind = 'p' "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'f', 'v') "
    "ORDER BY a.attnum";

constexpr const char* kKeySql =
    "SELECT a.attname FROM (SELECT i.indrelid, (i.indkey::int2[])[0:i.indnkeyatts - 1] AS key "
    "FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = $1 AND c.relname = $2 AND i.indisunique AND i.indisvalid "
    "AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL "
    "AND NOT EXISTS (SELECT FROM pg_attribute m WHERE m.attrelid = c.oid AND NOT m.attnotnull "
    "AND m.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])) "
    "ORDER BY i.indisprimary DESC, i.indexrelid LIMIT 1) k "
    "JOIN pg_attribute a ON a.attrelid = k.indrelid AND a.attnum = ANY (k.key) ORDER BY a.attnum";

// Owned by a column: 'a' serial, 'i' identity.
constexpr const char* kSequencesSql =
    "SELECT s.oid::regclass::text, a.attname, q.seqincrement > 0 FROM pg_depend d "
    "JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' "
    "JOIN pg_sequence q ON q.seqrelid = s.oid "
    "JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid "
    "WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass "
    "AND d.deptype IN ('a', 'i') AND d.refobjid = (quote_ident($1) || '.' || "
    "quote_ident($2))::regclass";

}  // namespace

const TargetColumn* TargetTable::find(std::string_view column) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const TargetColumn& each) { return each.name == column; });
  return found == columns.end() ? nullptr : &*found;
}

Result<TargetTable> find_target_table(Connection& connection, const TableName& name) {
  const std::string attempt = fmt::format("cannot look up table {}", name.text());
  const Parameters parameters = {name.schema, name.table};
  const Rows columns = RT_TRY(connection.query(kColumnsSql, parameters, attempt));
  TargetTable table;
  table.name = name;
  for (int row = 0; row < columns.size(); ++row) {
    table.columns.push_back(
        {std::string(columns.text(row, 0)),
         static_cast<std::uint32_t>(parse_decimal(columns.text(row, 1)).value_or(0)),
         columns.text(row, 2) == "t", columns.text(row, 3) == "t"});
    table.partitioned = columns.text(row, 4) == "t";
  }
  if (table.columns.empty()) {
    return fail(Code::refused,
                fmt::format("{} on {}: there is no such table", attempt, connection.endpoint()),
                "create it there first (pg_dump --schema-only), or name another with --map");
  }
  const Rows key = RT_TRY(connection.query(kKeySql, parameters, attempt));
  for (int row = 0; row < key.size(); ++row) table.key.emplace_back(key.text(row, 0));
  return table;
}

Result<std::uint64_t> move_sequences(Connection& connection, const TableName& name) {
  const std::string attempt = fmt::format("cannot set the sequences of {}", name.text());
  const Rows sequences =
      RT_TRY(connection.query(kSequencesSql, {name.schema, name.table}, attempt));
  std::uint64_t moved = 0;
  for (int row = 0; row < sequences.size(); ++row) {
    const std::string sequence(sequences.text(row, 0));
    const bool grows = sequences.text(row, 2) == "t";
    const std::string column = quote_identifier(sequences.text(row, 1));
    const std::string sql = fmt::format(
        "SELECT pg_catalog.setval({0}::regclass, last) FROM (SELECT {1}({2})::bigint AS last "
        "FROM {3}) t, {4} s WHERE t.last {5} s.last_value OR (t.last = s.last_value AND NOT "
        "s.is_called)",
        connection.literal(sequence), grows ? "max" : "min", column, name.quoted(), sequence,
        grows ? '>' : '<');
    moved += static_cast<std::uint64_t>(RT_TRY(connection.query(sql, attempt)).size());
  }
  return moved;
}

}  // namespace rt

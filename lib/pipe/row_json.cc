#include "pipe/row_json.h"

#include "base/text.h"
#include "proto/pg_json.h"

namespace rt {

using pgoutput::Value;
using pgoutput::ValueKind;

void append_row_json(std::string& out, const pgoutput::CachedRelation& relation,
                     pgoutput::TupleView row, RowColumns columns, pgoutput::TupleView fallback) {
  out += '{';
  bool first = true;
  std::size_t at = 0;
  for (Value value : row) {
    const std::size_t i = at++;
    if (i >= relation.columns.size()) break;
    const pgoutput::CachedColumn& column = relation.columns[i];
    if (columns == RowColumns::key && !column.is_key) continue;
    if (value.kind == ValueKind::unchanged && i < fallback.size()) value = fallback[i];
    if (value.kind == ValueKind::unchanged) continue;
    if (!first) out += ',';
    first = false;
    append_json_string(out, column.name);
    out += ':';
    if (value.kind == ValueKind::null) {
      out += "null";
    } else {
      append_json_value(out, column.base_oid, value.bytes);
    }
  }
  out += '}';
}

bool append_unchanged_json(std::string& out, const pgoutput::CachedRelation& relation,
                           pgoutput::TupleView row) {
  bool any = false;
  std::size_t at = 0;
  for (const Value value : row) {
    const std::size_t i = at++;
    if (value.kind != ValueKind::unchanged || i >= relation.columns.size()) continue;
    out += any ? ',' : '[';
    any = true;
    append_json_string(out, relation.columns[i].name);
  }
  if (any) out += ']';
  return any;
}

}  // namespace rt

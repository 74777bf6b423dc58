#include "pipe/wal_snapshot.h"

#include <fmt/format.h>

#include "base/text.h"
#include "pg/copy_out.h"
#include "proto/pgoutput_writer.h"

namespace rt {

namespace {

void append_table_json(std::string& out, const PublishedTable& table) {
  out += fmt::format("{{\"oid\":{},\"schema\":", table.oid);
  append_json_string(out, table.name.schema);
  out += ",\"table\":";
  append_json_string(out, table.name.table);
  out += ",\"primary_key\":[";
  bool first = true;
  for (const PublishedColumn& column : table.columns) {
    if (!column.primary_key) continue;
    if (!first) out += ',';
    append_json_string(out, column.name);
    first = false;
  }
  out += "]}";
}

Result<std::uint64_t> copy_table(Connection& connection, BatchWriter& writer,
                                 const PublishedTable& table, std::uint64_t lsn,
                                 const Clock& clock) {
  CopyOut copy = RT_TRY(CopyOut::start(connection, table.copy_sql(),
                                       fmt::format("cannot copy table {}", table.name.text())));
  std::uint64_t rows = 0;
  std::int64_t now_us = unix_us(clock.wall());
  std::string body;
  for (int shift = 0; shift < 32; shift += 8) {
    body += static_cast<char>((table.oid >> shift) & 0xFF);
  }
  for (;;) {
    const auto line = RT_TRY(copy.next());
    if (!line) return rows;
    body.resize(sizeof table.oid);
    body += *line;
    writer.append({RecordKind::snapshot_row, false, lsn, now_us, body});
    ++rows;
    if (writer.due()) {
      RT_CHECKED(writer.flush());
      now_us = unix_us(clock.wall());
    }
  }
}

}  // namespace

void append_prelude(BatchWriter& writer, const std::vector<PublishedTable>& tables,
                    std::int64_t received_us) {
  std::string body;
  std::vector<pgoutput::Column> columns;
  for (const PublishedTable& table : tables) {
    columns.clear();
    for (const PublishedColumn& column : table.columns) {
      columns.push_back({static_cast<std::uint8_t>(column.primary_key ? 1 : 0), column.name,
                         column.type_oid, column.typmod});
    }
    body.clear();
    pgoutput::append_relation(body, table.oid, table.name.schema, table.name.table, table.identity,
                              columns);
    writer.append({RecordKind::wal, /*prelude=*/true, 0, received_us, body});
  }
}

std::string snapshot_json(const SnapshotOrigin& origin, const std::vector<PublishedTable>& tables) {
  // The system identifier has 64 bits: as text, because JSON readers keep 53.
  std::string out = fmt::format(
      "{{\"consistent_point\":\"{}\",\"system_id\":\"{}\",\"timeline\":{},"
      "\"server_version\":{},\"database\":",
      lsn_text(origin.consistent_point), origin.server.system_id, origin.server.timeline,
      origin.server.version);
  append_json_string(out, origin.server.database);
  out += ",\"slot\":";
  append_json_string(out, origin.slot);
  out += ",\"publication\":";
  append_json_string(out, origin.publication);
  out += ",\"tables\":[";
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (i > 0) out += ',';
    append_table_json(out, tables[i]);
  }
  return out + "]}";
}

Result<std::uint64_t> copy_snapshot(Connection& connection, BatchWriter& writer,
                                    const SnapshotOrigin& origin,
                                    const std::vector<PublishedTable>& tables, const Clock& clock) {
  const std::uint64_t lsn = origin.consistent_point;
  append_prelude(writer, tables, unix_us(clock.wall()));
  writer.append({RecordKind::snapshot_begin, false, lsn, unix_us(clock.wall()),
                 snapshot_json(origin, tables)});
  std::uint64_t rows = 0;
  for (const PublishedTable& table : tables) {
    rows += RT_TRY(copy_table(connection, writer, table, lsn, clock));
  }
  writer.append({RecordKind::snapshot_end, false, lsn, unix_us(clock.wall()), {}});
  RT_CHECKED(writer.flush());
  return rows;
}

}  // namespace rt

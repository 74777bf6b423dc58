#include "pg/published_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace rt {

namespace {

std::string catalog_sql(const Connection& connection, const std::string& publication) {
  const int version = connection.server_version();
  // Column lists and row filters exist from 15 on; generated columns are sent from 18 on, if at
  // all.
  const bool has_lists = version >= 150000;
  return fmt::format(
      "SELECT c.oid, n.nspname, c.relname, c.relreplident, c.relkind, {}, "
      "a.attname, a.atttypid, a.atttypmod, coalesce(a.attnum = ANY (i.indkey), false) "
      "FROM pg_catalog.pg_publication_tables t "
      "JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname "
      "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename "
      "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
      "AND NOT a.attisdropped {} {} "
      "LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary "
      "WHERE t.pubname = {} ORDER BY n.nspname, c.relname, a.attnum",
      has_lists ? "t.rowfilter" : "NULL", has_lists ? "AND a.attname = ANY (t.attnames)" : "",
      version < 180000 ? "AND a.attgenerated = ''" : "", connection.literal(publication));
}

std::vector<PublishedTable> tables_from(const Rows& rows) {
  std::vector<PublishedTable> tables;
  for (int row = 0; row < rows.size(); ++row) {
    const auto oid = static_cast<std::uint32_t>(parse_decimal(rows.text(row, 0)).value_or(0));
    if (tables.empty() || tables.back().oid != oid) {
      PublishedTable& table = tables.emplace_back();
      table.oid = oid;
      table.name = {std::string(rows.text(row, 1)), std::string(rows.text(row, 2))};
      table.identity = rows.text(row, 3)[0];
      table.partitioned = rows.text(row, 4) == "p";
      table.row_filter = rows.text(row, 5);
    }
    if (!rows.value(row, 6)) continue;  // a table without columns
    PublishedColumn& column = tables.back().columns.emplace_back();
    column.name = rows.text(row, 6);
    column.type_oid = static_cast<std::uint32_t>(parse_decimal(rows.text(row, 7)).value_or(0));
    const std::string_view typmod = rows.text(row, 8);
    std::from_chars(typmod.data(), typmod.data() + typmod.size(), column.typmod);
    column.primary_key = rows.text(row, 9) == "t";
  }
  return tables;
}

}  // namespace

std::string PublishedTable::copy_sql() const {
  std::string list;
  for (const PublishedColumn& column : columns) {
    if (!list.empty()) list += ", ";
    list += quote_identifier(column.name);
  }
  // ONLY: children of an inheritance parent are published as tables of their own.
  return fmt::format("COPY (SELECT {} FROM {}{}{}{}) TO STDOUT", list, partitioned ? "" : "ONLY ",
                     name.quoted(), row_filter.empty() ? "" : " WHERE ", row_filter);
}

Result<std::vector<PublishedTable>> published_tables(Connection& connection,
                                                     const std::string& publication,
                                                     const std::vector<TableName>& only) {
  const std::string attempt = fmt::format("cannot look up publication {}", publication);
  const Rows exists = RT_TRY(
      connection.query(fmt::format("SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = {}",
                                   connection.literal(publication)),
                       attempt));
  if (exists.size() == 0) {
    return fail(
        Code::refused,
        fmt::format("publication {} does not exist on {}", publication, connection.endpoint()),
        fmt::format("run: rtctl setup --publication {} --table {}", publication,
                    only.empty() ? "TABLE" : only.front().text()));
  }
  auto tables =
      tables_from(RT_TRY(connection.query(catalog_sql(connection, publication), attempt)));
  if (only.empty()) return tables;
  std::vector<PublishedTable> chosen;
  for (const TableName& name : only) {
    const auto found = std::find_if(tables.begin(), tables.end(),
                                    [&](const PublishedTable& t) { return t.name == name; });
    if (found == tables.end()) {
      return fail(Code::refused,
                  fmt::format("table {} is not in publication {}", name.text(), publication),
                  fmt::format("run ALTER PUBLICATION {} ADD TABLE {}",
                              quote_identifier(publication), name.quoted()));
    }
    chosen.push_back(*found);
  }
  return chosen;
}

}  // namespace rt

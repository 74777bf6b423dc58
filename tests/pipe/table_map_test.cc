#include "pipe/table_map.h"

#include <array>
#include <catch2/catch.hpp>

#include "proto/pgoutput_writer.h"

using namespace rt;

namespace {

// The schema and name that a record's Relation message gives after the map.
std::string renamed(TableMap& map, const std::string& schema, const std::string& name) {
  const std::array<pgoutput::Column, 1> columns = {{{1, "id", 23, -1}}};
  std::string body;
  pgoutput::append_relation(body, 7, schema, name, 'd', columns);
  const RecordView out = map.apply({RecordKind::wal, true, 0, 0, body});
  CHECK(out.prelude);
  const auto decoded = pgoutput::decode(out.body);
  REQUIRE(decoded);
  const auto& relation = std::get<pgoutput::Relation>(decoded.message);
  CHECK(relation.oid == 7);
  CHECK(relation.columns.size() == 1);
  return std::string(relation.schema) + "." + std::string(relation.name);
}

}  // namespace

TEST_CASE("table map: a table named in it goes by its other name, all others by their own",
          "[table_map]") {
  TableMap map = TableMap::parse({"orders=archive.old_orders", "app.\"A b\"=c"}).value();
  CHECK(renamed(map, "public", "orders") == "archive.old_orders");
  CHECK(renamed(map, "app", "A b") == "public.c");
  CHECK(renamed(map, "app", "orders") == "app.orders");
  const std::string row("I\0\0\0\7N\0\0", 8);
  CHECK(map.apply({RecordKind::wal, false, 0, 0, row}).body == row);
}

TEST_CASE("table map: what is no pair of names is usage", "[table_map]") {
  CHECK(TableMap::parse({"orders"}).error().code == Code::usage);
  CHECK(TableMap::parse({"=b"}).error().code == Code::usage);
}

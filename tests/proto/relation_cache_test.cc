#include "proto/relation_cache.h"

#include <array>
#include <catch2/catch.hpp>

#include "proto/pg_types.h"
#include "proto/pgoutput_golden.h"
#include "proto/pgoutput_writer.h"

using namespace rt::pgoutput;
using Applied = RelationCache::Applied;

namespace {

// Decodes a Relation that lives as long as `storage`.
Relation relation(std::string& storage, std::uint32_t oid, std::span<const Column> columns,
                  std::string_view name = "t", std::string_view schema = "public") {
  storage.clear();
  append_relation(storage, oid, schema, name, 'f', columns);
  return std::get<Relation>(decode(storage).message);
}

}  // namespace

TEST_CASE("relation cache: a table told again without news is unchanged, with news a new version",
          "[proto][relation_cache]") {
  RelationCache cache;
  std::string storage;
  const std::array<Column, 2> before = {Column{1, "id", 20, -1}, {0, "name", 25, -1}};
  const std::array<Column, 2> after = {Column{1, "id", 20, -1}, {0, "title", 25, -1}};
  CHECK(cache.apply(relation(storage, 5, before)) == Applied::added);
  CHECK(cache.apply(relation(storage, 5, before)) == Applied::unchanged);
  CHECK(cache.find(5)->version == 1);
  CHECK(cache.apply(relation(storage, 5, after)) == Applied::changed);
  CHECK(cache.find(5)->version == 2);
  CHECK(cache.apply(relation(storage, 5, after, "renamed")) == Applied::changed);
  CHECK(cache.find(5)->name == "renamed");
  CHECK(cache.apply(relation(storage, 5, after, "renamed", "elsewhere")) == Applied::changed);
  CHECK(cache.find(5)->version == 4);
  CHECK(cache.size() == 1);
}

TEST_CASE("relation cache: it owns what it was told", "[proto][relation_cache]") {
  RelationCache cache;
  std::string storage;
  const std::array<Column, 1> columns = {Column{1, "id", 20, 7}};
  cache.apply(relation(storage, 5, columns));
  storage.assign(storage.size(), '?');
  const CachedRelation* cached = cache.find(5);
  REQUIRE(cached != nullptr);
  CHECK(cached->schema == "public");
  CHECK(cached->identity == 'f');
  CHECK(cached->columns == std::vector<CachedColumn>{{"id", 20, 20, 7, true}});
}

TEST_CASE("relation cache: columns are found by exact name", "[proto][relation_cache]") {
  RelationCache cache;
  std::string storage;
  const std::array<Column, 3> columns = {
      Column{1, "id", 20, -1}, {0, "ID", 25, -1}, {0, "", 25, -1}};
  cache.apply(relation(storage, 5, columns));
  CHECK(cache.find(5)->find("id") == 0);
  CHECK(cache.find(5)->find("ID") == 1);
  CHECK_FALSE(cache.find(5)->find("i"));
  CHECK(cache.find(6) == nullptr);
}

TEST_CASE("relation cache: an empty schema is pg_catalog", "[proto][relation_cache]") {
  RelationCache cache;
  std::string storage;
  cache.apply(relation(storage, 5, {}, "pg_class", ""));
  CHECK(cache.find(5)->schema == "pg_catalog");
}

TEST_CASE("relation cache: a domain has the type underneath, an enum itself",
          "[proto][relation_cache]") {
  RelationCache cache;
  for (const rt::test::Golden& golden : rt::test::read_goldens("pgoutput_protocol1.txt")) {
    const DecodeResult result = decode(golden.bytes);
    if (const auto* type = std::get_if<Type>(&result.message)) cache.apply(*type);
    if (const auto* told = std::get_if<Relation>(&result.message)) cache.apply(*told);
  }
  const CachedRelation* item = cache.find(16394);
  REQUIRE(item != nullptr);
  const CachedColumn& domain = item->columns.at(item->find("s").value());
  CHECK(domain.type_oid >= 16384);
  CHECK(domain.base_oid == rt::pg_type::kText);
  const CachedColumn& mood = item->columns.at(item->find("m").value());
  CHECK(mood.base_oid == mood.type_oid);
  CHECK(item->columns.at(item->find("id").value()).base_oid == rt::pg_type::kInt8);
  CHECK(cache.find(16401)->version == 3);  // ADD COLUMN, then RENAME COLUMN
  CHECK(cache.find(16401)->find("bee") == 1);
}

TEST_CASE("relation cache: it takes no more than its limit and says so",
          "[proto][relation_cache]") {
  RelationCache cache;
  std::string storage;
  for (std::uint32_t oid = 0; oid < RelationCache::kEntriesMax; ++oid) {
    REQUIRE(cache.apply(relation(storage, oid, {})) == Applied::added);
  }
  CHECK(cache.apply(relation(storage, 1'000'000, {})) == Applied::full);
  CHECK(cache.apply(relation(storage, 7, {}, "known")) == Applied::changed);
  cache.clear();
  CHECK(cache.size() == 0);
  CHECK(cache.apply(relation(storage, 1'000'000, {})) == Applied::added);
}

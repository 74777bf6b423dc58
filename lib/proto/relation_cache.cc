#include "proto/relation_cache.h"

#include "proto/pg_types.h"

namespace rt::pgoutput {

namespace {

// An empty namespace on the wire means pg_catalog.
std::string_view schema_of(std::string_view schema) {
  return schema.empty() ? "pg_catalog" : schema;
}

}  // namespace

std::optional<std::size_t> CachedRelation::find(std::string_view column) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == column) return i;
  }
  return std::nullopt;
}

RelationCache::Applied RelationCache::apply(const Relation& relation) {
  std::vector<CachedColumn> columns;
  columns.reserve(relation.columns.size());
  for (const Column column : relation.columns) {
    columns.push_back({std::string(column.name), column.type_oid, base_of(column.type_oid),
                       column.typmod, column.is_key()});
  }
  const auto known = relations_.find(relation.oid);
  if (known == relations_.end()) {
    if (relations_.size() == kEntriesMax) return Applied::full;
    relations_.emplace(relation.oid,
                       std::make_unique<CachedRelation>(CachedRelation{
                           relation.oid, std::string(schema_of(relation.schema)),
                           std::string(relation.name), relation.identity, std::move(columns), 1}));
    return Applied::added;
  }
  CachedRelation& cached = *known->second;
  if (cached.schema == schema_of(relation.schema) && cached.name == relation.name &&
      cached.identity == relation.identity && cached.columns == columns) {
    return Applied::unchanged;
  }
  cached.schema = schema_of(relation.schema);
  cached.name = relation.name;
  cached.identity = relation.identity;
  cached.columns = std::move(columns);
  ++cached.version;
  return Applied::changed;
}

RelationCache::Applied RelationCache::apply(const Type& type) {
  // Only a domain over a built-in type is announced under another type's name; an enum or composite
  // names itself, in its own schema.
  const bool is_built_in = schema_of(type.schema) == "pg_catalog";
  const std::uint32_t named = is_built_in ? pg_type::oid_of(type.name) : 0;
  const std::uint32_t base = named == 0 ? type.oid : named;
  const auto known = base_of_type_.find(type.oid);
  if (known != base_of_type_.end()) {
    if (known->second == base) return Applied::unchanged;
    known->second = base;
    return Applied::changed;
  }
  if (base_of_type_.size() == kEntriesMax) return Applied::full;
  base_of_type_.emplace(type.oid, base);
  return Applied::added;
}

const CachedRelation* RelationCache::find(std::uint32_t oid) const {
  const auto known = relations_.find(oid);
  return known == relations_.end() ? nullptr : known->second.get();
}

void RelationCache::clear() {
  relations_.clear();
  base_of_type_.clear();
}

std::uint32_t RelationCache::base_of(std::uint32_t type_oid) const {
  const auto known = base_of_type_.find(type_oid);
  return known == base_of_type_.end() ? type_oid : known->second;
}

}  // namespace rt::pgoutput

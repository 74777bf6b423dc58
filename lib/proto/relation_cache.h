// What Relation and Type messages said, owned, by oid: the key to every row that follows them.
// PostgreSQL sends a Relation before the first change of a table in a session and again after
// anything about it changed, so columns are found by name, never by a remembered number. Inside a
// streamed transaction (protocol 2) Relations belong to that transaction until it commits: keep a
// cache of its own for each. Sans-IO; one thread at a time.
// Source: PostgreSQL 15, section 55.5 "Logical Streaming Replication Protocol".
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proto/pgoutput.h"

namespace rt::pgoutput {

struct CachedColumn {
  std::string name;
  std::uint32_t type_oid = 0;
  // Of the built-in type under a domain, once a Type message has named it; else type_oid. Decides
  // how a value is rendered (proto/pg_json.h).
  std::uint32_t base_oid = 0;
  std::int32_t typmod = -1;
  bool is_key = false;  // of the replica identity; every column with identity 'f'
  friend bool operator==(const CachedColumn&, const CachedColumn&) = default;
};

struct CachedRelation {
  std::uint32_t oid = 0;
  std::string schema;  // "pg_catalog" where the message has none
  std::string name;
  char identity = 'd';
  std::vector<CachedColumn> columns;
  // Counts the different forms of this relation seen so far, from 1: what depends on column numbers
  // is valid while it stands still.
  std::uint32_t version = 0;

  // The number of the column called so.
  std::optional<std::size_t> find(std::string_view column) const;
};

class RelationCache {
 public:
  // More published tables than any database in sight has, at some 100 bytes a column; bounds what a
  // broken or hostile server can make us keep.
  static constexpr std::size_t kEntriesMax = 65'536;

  enum class Applied : std::uint8_t {
    unchanged,  // said the same as before
    added,      // a relation not known before
    changed,    // another form of a known one: version grew
    full,       // not taken: kEntriesMax relations are known
  };
  Applied apply(const Relation& relation);
  // Remembers what a domain is made of, for the Relations that follow, as PostgreSQL orders them.
  Applied apply(const Type& type);

  // Valid until clear(): a later Relation of the same oid changes it in place.
  const CachedRelation* find(std::uint32_t oid) const;
  std::size_t size() const { return relations_.size(); }
  // A new session describes everything again; versions start anew.
  void clear();

 private:
  std::uint32_t base_of(std::uint32_t type_oid) const;

  std::unordered_map<std::uint32_t, std::unique_ptr<CachedRelation>> relations_;
  std::unordered_map<std::uint32_t, std::uint32_t> base_of_type_;
};

}  // namespace rt::pgoutput

// The Relation and Type messages seen so far, so that each block can begin with those it needs and
// be decoded alone. Peeks at pgoutput messages of protocol 1 (PostgreSQL 15, section 55.9).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"

namespace rt::archive {

// One thread at a time.
class SchemaMemory {
 public:
  // A schema of a thousand partitioned tables with a hundred partitions each still fits; at about 1
  // KiB a relation the memory stays in proportion to the catalog of the database itself.
  static constexpr std::size_t kMaxRelations = 262'144;

  // Takes a Relation or Type message that stands in the current block. A Relation that the source
  // made itself (marked as prelude) is kept beside the server's: it names the real primary key.
  Result<void> learn(std::string_view message, bool made_by_source);

  // A row of this relation is about to be added to the current block: appends to `needed` the
  // messages a decoder of this block lacks, types before the relation. Views live until the next
  // learn().
  void use(std::uint32_t relation, std::vector<std::string_view>& needed);
  void start_block();

 private:
  struct Known {
    std::string described;             // made by the source, or empty
    std::string message;               // from the server, or empty
    std::vector<std::uint32_t> types;  // type OIDs of its columns
  };
  std::unordered_map<std::uint32_t, Known> relations_;
  std::unordered_map<std::uint32_t, std::string> types_;
  std::unordered_set<std::uint32_t> relations_here_;  // defined or repeated in the current block
  std::unordered_set<std::uint32_t> types_here_;
  std::uint32_t last_used_ = 0;
  bool last_used_valid_ = false;
};

// The column type OIDs of a Relation message; empty if it is malformed.
std::vector<std::uint32_t> column_types(std::string_view relation_message);

}  // namespace rt::archive

// The current row of every run, and indexes by run, environment and tag. A run costs about 100
// bytes beyond its row's own bytes (two tags). One thread (the hub's).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proto/pgoutput.h"
#include "server/key_map.h"
#include "server/posting_lists.h"
#include "server/run_filter.h"
#include "server/run_table.h"

namespace rt::server {

class RunStore {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  struct Row {
    const RunTable* table = nullptr;  // as it was when the row was stored; null: no such run
    pgoutput::TupleView tuple;        // valid until this run changes
  };

  // Inserts or replaces; `row` has no unchanged values. Returns the run's slot, which is its own
  // until it is removed.
  std::uint32_t put(const std::shared_ptr<const RunTable>& table, pgoutput::TupleView row,
                    const RunFacts& facts);
  // The slot is free afterwards.
  void remove(std::uint32_t slot);
  void clear();

  std::uint32_t find(const Hash128& id);
  Row row(std::uint32_t slot) const;
  std::size_t size() const { return ids_.size(); }
  // Slots are below this number.
  std::uint32_t slot_end() const { return static_cast<std::uint32_t>(runs_.size()); }

  // Slots of all runs that match, ascending.
  std::vector<std::uint32_t> matching(const RunFilter& filter);

 private:
  struct Run {
    Hash128 id;
    std::unique_ptr<char[]> row;  // u32 table version, then TupleData; null: the slot is free
    std::uint32_t row_bytes = 0;
    PostingLists::Chain chain = PostingLists::kNone;
  };
  static_assert(sizeof(Run) <= 32);

  std::uint32_t version_of(const std::shared_ptr<const RunTable>& table);
  bool matches(std::uint32_t slot, const RunFilter& filter);

  std::vector<Run> runs_;
  std::vector<std::uint32_t> free_;
  KeyMap<std::uint32_t> ids_;  // Hash128::low -> slot
  PostingLists names_;         // environments and tags
  // Every description a stored row was encoded with. Grows by one per ALTER TABLE.
  std::vector<std::shared_ptr<const RunTable>> versions_;
  OwnedRunFacts scratch_;
};

}  // namespace rt::server

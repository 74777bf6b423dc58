#include "server/run_store.h"

#include <algorithm>
#include <cstring>

#include "server/growth.h"

namespace rt::server {

std::uint32_t RunStore::version_of(const std::shared_ptr<const RunTable>& table) {
  if (versions_.empty() || versions_.back() != table) versions_.push_back(table);
  return static_cast<std::uint32_t>(versions_.size() - 1);
}

std::uint32_t RunStore::put(const std::shared_ptr<const RunTable>& table, pgoutput::TupleView row,
                            const RunFacts& facts) {
  std::uint32_t slot = find(facts.id);
  if (slot == kNone) {
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(runs_.size());
      grow_sparingly(runs_);
      runs_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    ids_[facts.id.low] = slot;
  }
  Run& run = runs_[slot];
  run.id = facts.id;
  const std::uint32_t version = version_of(table);
  const std::string_view bytes = row.bytes();
  run.row = std::make_unique_for_overwrite<char[]>(sizeof version + bytes.size());
  std::memcpy(run.row.get(), &version, sizeof version);
  std::memcpy(run.row.get() + sizeof version, bytes.data(), bytes.size());
  run.row_bytes = static_cast<std::uint32_t>(bytes.size());
  names_.remove(run.chain, [](std::uint64_t) {});
  if (facts.environment) names_.add(facts.environment->low, slot, run.chain);
  for (const Hash128& tag : facts.tags) names_.add(tag.low, slot, run.chain);
  return slot;
}

void RunStore::remove(std::uint32_t slot) {
  Run& run = runs_[slot];
  names_.remove(run.chain, [](std::uint64_t) {});
  ids_.erase(run.id.low);
  run = Run{};
  free_.push_back(slot);
}

void RunStore::clear() {
  *this = RunStore();
}

std::uint32_t RunStore::find(const Hash128& id) {
  const std::uint32_t* const slot = ids_.find(id.low);
  return slot != nullptr && runs_[*slot].id == id ? *slot : kNone;
}

RunStore::Row RunStore::row(std::uint32_t slot) const {
  if (slot >= runs_.size() || runs_[slot].row == nullptr) return {};
  const Run& run = runs_[slot];
  std::uint32_t version = 0;
  std::memcpy(&version, run.row.get(), sizeof version);
  const auto tuple = pgoutput::decode_tuple({run.row.get() + sizeof version, run.row_bytes});
  RT_CHECK(tuple.has_value());
  return {versions_[version].get(), *tuple};
}

bool RunStore::matches(std::uint32_t slot, const RunFilter& filter) {
  const Row stored = row(slot);
  if (stored.table == nullptr) return false;
  stored.table->read_facts(scratch_, stored.tuple);
  return filter.matches(scratch_.view());
}

std::vector<std::uint32_t> RunStore::matching(const RunFilter& filter) {
  std::vector<std::uint32_t> slots;
  const auto consider = [&](std::uint32_t slot) {
    if (matches(slot, filter)) slots.push_back(slot);
  };
  if (filter.run()) {
    const std::uint32_t slot = find(*filter.run());
    if (slot != kNone) consider(slot);
  } else if (!filter.tags().empty() || filter.environment()) {
    for (const std::uint64_t key : filter.keys()) names_.for_each(key, consider);
    std::sort(slots.begin(), slots.end());
    slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
  } else {
    for (std::uint32_t slot = 0; slot < slot_end(); ++slot) consider(slot);
  }
  return slots;
}

}  // namespace rt::server

// Key -> members, and member -> its entries: which connections of a shard want a key, which runs of
// the store have a tag. Adding and removing cost O(entries of the member). 24 bytes an entry. One
// thread.
#pragma once

#include <cstdint>
#include <vector>

#include "server/growth.h"
#include "server/key_map.h"

namespace rt::server {

class PostingLists {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  // Head of a member's entries; the member keeps it.
  using Chain = std::uint32_t;

  // True if the key had no member before.
  bool add(std::uint64_t key, std::uint32_t member, Chain& chain) {
    const std::uint32_t entry = allocate();
    Head& head = heads_[key];
    const bool first = head.entry == kNone;
    entries_[entry] = {key, member, head.entry, kNone, chain};
    if (!first) entries_[head.entry].previous = entry;
    head.entry = entry;
    chain = entry;
    return first;
  }

  // Removes every entry of a member. Calls on_empty(key) for each key that has no member left.
  template <typename OnEmpty>
  void remove(Chain& chain, OnEmpty&& on_empty) {
    while (chain != kNone) {
      const std::uint32_t index = chain;
      const Entry entry = entries_[index];
      if (entry.next != kNone) entries_[entry.next].previous = entry.previous;
      if (entry.previous != kNone) {
        entries_[entry.previous].next = entry.next;
      } else if (entry.next != kNone) {
        heads_.find(entry.key)->entry = entry.next;
      } else {
        heads_.erase(entry.key);
        on_empty(entry.key);
      }
      chain = entry.next_of_member;
      entries_[index].next = free_;
      free_ = index;
    }
  }

  // Calls visit(member) for each member of the key, newest first. Nothing may be added or removed
  // meanwhile.
  template <typename Visit>
  void for_each(std::uint64_t key, Visit&& visit) {
    const Head* const head = heads_.find(key);
    if (head == nullptr) return;
    for (std::uint32_t at = head->entry; at != kNone; at = entries_[at].next) {
      visit(entries_[at].member);
    }
  }

  std::size_t key_count() const { return heads_.size(); }

 private:
  struct Head {
    std::uint32_t entry = kNone;
  };
  struct Entry {
    std::uint64_t key;
    std::uint32_t member;
    std::uint32_t next;
    std::uint32_t previous;
    std::uint32_t next_of_member;
  };
  static_assert(sizeof(Entry) == 24);

  std::uint32_t allocate() {
    if (free_ == kNone) {
      grow_sparingly(entries_);
      entries_.push_back({});
      return static_cast<std::uint32_t>(entries_.size() - 1);
    }
    const std::uint32_t index = free_;
    free_ = entries_[index].next;
    return index;
  }

  KeyMap<Head> heads_;
  std::vector<Entry> entries_;
  std::uint32_t free_ = kNone;
};

}  // namespace rt::server

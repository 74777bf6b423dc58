#include "server/posting_lists.h"

#include <rapidcheck/catch.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

using rt::server::KeyMap;
using rt::server::PostingLists;

TEST_CASE("key map: agrees with std::map under any sequence of inserts and erases", "[server]") {
  rc::prop("inserts and erases", [](const std::vector<std::pair<bool, std::uint8_t>>& steps) {
    KeyMap<int> map;
    std::map<std::uint64_t, int> reference;
    int value = 0;
    for (const auto& [insert, key] : steps) {
      if (insert) {
        map[key] = ++value;
        reference[key] = value;
      } else {
        map.erase(key);
        reference.erase(key);
      }
      RC_ASSERT(map.size() == reference.size());
    }
    for (std::uint64_t key = 0; key < 256; ++key) {
      const int* const found = map.find(key);
      const auto expected = reference.find(key);
      RC_ASSERT((found != nullptr) == (expected != reference.end()));
      if (found != nullptr) RC_ASSERT(*found == expected->second);
    }
  });
}

TEST_CASE("posting lists: agree with a map of sets, and say which keys became empty", "[server]") {
  rc::prop("adds and removes", [](const std::vector<std::pair<std::uint8_t, std::uint8_t>>& steps) {
    PostingLists lists;
    std::vector<PostingLists::Chain> chains(8, PostingLists::kNone);
    std::map<std::uint64_t, std::set<std::uint32_t>> reference;
    for (const auto& [key_byte, action] : steps) {
      const std::uint32_t member = action % 8;
      const std::uint64_t key = key_byte % 16;
      if (action < 128) {
        if (reference[key].count(member) != 0) continue;
        const bool first = lists.add(key, member, chains[member]);
        RC_ASSERT(first == reference[key].empty());
        reference[key].insert(member);
      } else {
        std::set<std::uint64_t> emptied;
        lists.remove(chains[member], [&](std::uint64_t k) { emptied.insert(k); });
        for (auto& [k, members] : reference) {
          if (members.erase(member) != 0)
            RC_ASSERT(emptied.count(k) == (members.empty() ? 1U : 0U));
        }
      }
    }
    for (const auto& [key, members] : reference) {
      std::set<std::uint32_t> found;
      lists.for_each(key, [&](std::uint32_t member) { RC_ASSERT(found.insert(member).second); });
      RC_ASSERT(found == members);
    }
  });
}

// Growth of large arrays that live long. Doubling leaves up to half of an array unused, which for
// millions of runs is more than their indexes cost; an eighth at a time costs each item about nine
// copies on the way instead of two.
#pragma once

#include <cstddef>
#include <vector>

namespace rt::server {

// Before one more item is added.
template <typename Item>
void grow_sparingly(std::vector<Item>& items) {
  if (items.size() < items.capacity()) return;
  constexpr std::size_t kFirst = 16;
  items.reserve(items.size() + items.size() / 8 + kFirst);
}

}  // namespace rt::server

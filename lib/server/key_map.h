// A map from 64-bit hashes to small values: open addressing, linear probing, deletion by shifting
// back. 16 bytes a slot at most 3/4 full; memory follows the number of keys in both directions. One
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace rt::server {

template <typename Value>
class KeyMap {
 public:
  std::size_t size() const { return size_; }

  Value* find(std::uint64_t key) {
    const std::size_t i = index_of(usable(key));
    return i == kAbsent ? nullptr : &slots_[i].value;
  }

  // The value of `key`, made as Value() if it was absent. Valid until the next insert or erase.
  Value& operator[](std::uint64_t key) {
    if (Value* found = find(key)) return *found;
    if ((size_ + 1) * 4 > slots_.size() * 3) resize(slots_.empty() ? 16 : slots_.size() * 2);
    ++size_;
    return place(usable(key), Value());
  }

  void erase(std::uint64_t key) {
    std::size_t hole = index_of(usable(key));
    if (hole == kAbsent) return;
    for (std::size_t i = next(hole); slots_[i].key != kFree; i = next(i)) {
      const std::size_t wanted = home(slots_[i].key);
      const bool may_move =
          hole <= i ? (wanted <= hole || wanted > i) : (wanted <= hole && wanted > i);
      if (!may_move) continue;
      slots_[hole] = slots_[i];
      hole = i;
    }
    slots_[hole] = Slot{};
    --size_;
    if (slots_.size() > 16 && size_ * 8 < slots_.size()) resize(slots_.size() / 2);
  }

 private:
  static constexpr std::uint64_t kFree = 0;
  static constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);
  struct Slot {
    Value value{};
    std::uint64_t key = kFree;
  };

  static std::uint64_t usable(std::uint64_t key) { return key == kFree ? ~kFree : key; }
  // Keys are hashes already, but some are small constants.
  std::size_t home(std::uint64_t key) const {
    return static_cast<std::size_t>((key * 0x9E3779B97F4A7C15ull) >> 20) & (slots_.size() - 1);
  }
  std::size_t next(std::size_t i) const { return (i + 1) & (slots_.size() - 1); }

  std::size_t index_of(std::uint64_t key) const {
    if (slots_.empty()) return kAbsent;
    for (std::size_t i = home(key);; i = next(i)) {
      if (slots_[i].key == key) return i;
      if (slots_[i].key == kFree) return kAbsent;
    }
  }

  Value& place(std::uint64_t key, Value value) {
    std::size_t i = home(key);
    while (slots_[i].key != kFree) i = next(i);
    slots_[i] = Slot{std::move(value), key};
    return slots_[i].value;
  }

  void resize(std::size_t count) {
    std::vector<Slot> old(count);
    old.swap(slots_);
    for (Slot& slot : old) {
      if (slot.key != kFree) place(slot.key, std::move(slot.value));
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace rt::server

// A string of 32 bytes that holds up to 30 characters in place. A last event id ("%016X-%08X", 25
// characters) fits, where std::string would allocate: 400,000 subscribers keep one each.
// A value that is moved, not copied. One thread at a time.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace rt {

class ShortText {
 public:
  static constexpr std::size_t kInPlaceMax = 30;

  ShortText() = default;
  ~ShortText() { release(); }
  ShortText(ShortText&& other) noexcept { take(other); }
  ShortText& operator=(ShortText&& other) noexcept {
    if (this != &other) {
      release();
      take(other);
    }
    return *this;
  }
  ShortText(const ShortText&) = delete;
  ShortText& operator=(const ShortText&) = delete;

  // Below 4 GiB. `text` may be a part of this object's own. Memory of a long text is kept for the
  // next.
  void assign(std::string_view text) {
    if (text.size() > capacity()) {
      char* const grown = new char[text.size()];
      std::memcpy(grown, text.data(), text.size());
      release();
      const auto size = static_cast<std::uint32_t>(text.size());
      store({grown, size, size});
      bytes_[kLengthAt] = kAllocated;
    } else if (in_place()) {
      if (!text.empty()) std::memmove(bytes_, text.data(), text.size());
      bytes_[kLengthAt] = static_cast<char>(text.size());
    } else {
      Block block = stored();
      if (!text.empty()) std::memmove(block.bytes, text.data(), text.size());
      block.size = static_cast<std::uint32_t>(text.size());
      store(block);
    }
  }

  std::string_view view() const {
    if (in_place()) return {bytes_, static_cast<std::size_t>(bytes_[kLengthAt])};
    const Block block = stored();
    return {block.bytes, block.size};
  }

 private:
  struct Block {
    char* bytes;
    std::uint32_t size;
    std::uint32_t capacity;
  };
  static constexpr std::size_t kLengthAt = 31;  // length in place, or kAllocated
  static constexpr char kAllocated = 127;

  bool in_place() const { return bytes_[kLengthAt] != kAllocated; }
  std::size_t capacity() const { return in_place() ? kInPlaceMax : stored().capacity; }
  Block stored() const {
    Block block;
    std::memcpy(&block, bytes_, sizeof block);
    return block;
  }
  void store(const Block& block) { std::memcpy(bytes_, &block, sizeof block); }
  void release() {
    if (!in_place()) delete[] stored().bytes;
    bytes_[kLengthAt] = 0;
  }
  void take(ShortText& other) {
    std::memcpy(bytes_, other.bytes_, sizeof bytes_);
    other.bytes_[kLengthAt] = 0;
  }

  alignas(8) char bytes_[32] = {};
};

}  // namespace rt

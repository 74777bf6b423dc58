// The two lists inside pgoutput messages: the values of a row and the columns of a relation.
// Views into the message: they own nothing, allocate nothing, and live as long as its bytes. Only
// the decoder makes them, after it has checked every count and length, so walking them needs no
// check. Values, one thread at a time. Source: PostgreSQL 15, section 55.9 "Logical Replication
// Message Formats".
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>

#include "proto/big_endian.h"

namespace rt::pgoutput {

// No table can have more columns (MaxTupleAttributeNumber); a larger count is damage, not data.
inline constexpr std::size_t kMaxColumns = 1664;

enum class ValueKind : char {
  null = 'n',
  unchanged =
      'u',       // a TOASTed value the update did not touch: neither NULL nor sent; see the old row
  text = 't',    // the type's output function, in client_encoding
  binary = 'b',  // the type's send function; only if asked for with `binary 'true'`
};

struct Value {
  ValueKind kind = ValueKind::null;
  std::string_view bytes;  // empty for null and unchanged
  friend bool operator==(const Value&, const Value&) = default;
};

// TupleData: u16 count, then per column its kind and, for text and binary, u32 size and bytes.
class TupleView {
 public:
  class Iterator;
  using iterator = Iterator;

  TupleView() = default;  // no columns
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  inline Iterator begin() const;
  inline Iterator end() const;
  // The value of column `index`, from 0; index < size(). Walks: O(index).
  inline Value operator[](std::size_t index) const;
  // The encoded TupleData itself, count included; empty for a default TupleView.
  std::string_view bytes() const { return bytes_; }

 private:
  friend class Reader;
  TupleView(std::string_view bytes, std::uint16_t count) : bytes_(bytes), count_(count) {}
  std::string_view bytes_;
  std::uint16_t count_ = 0;
};

class TupleView::Iterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = Value;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = Value;

  Iterator() = default;
  Iterator(const char* at, std::size_t left) : at_(at), left_(left) {}
  Value operator*() const {
    const auto kind = static_cast<ValueKind>(*at_);
    if (kind == ValueKind::null || kind == ValueKind::unchanged) return {kind, {}};
    return {kind, {at_ + 5, load_big_endian<std::uint32_t>(at_ + 1)}};
  }
  Iterator& operator++() {
    const auto kind = static_cast<ValueKind>(*at_);
    const bool has_bytes = kind != ValueKind::null && kind != ValueKind::unchanged;
    at_ += has_bytes ? 5 + std::size_t{load_big_endian<std::uint32_t>(at_ + 1)} : 1;
    --left_;
    return *this;
  }
  Iterator operator++(int) {
    Iterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Iterator& a, const Iterator& b) { return a.left_ == b.left_; }

 private:
  const char* at_ = nullptr;
  std::size_t left_ = 0;
};

inline TupleView::Iterator TupleView::begin() const {
  return count_ == 0 ? Iterator() : Iterator(bytes_.data() + 2, count_);
}
inline TupleView::Iterator TupleView::end() const {
  return {};
}
inline Value TupleView::operator[](std::size_t index) const {
  Iterator at = begin();
  while (index-- > 0) ++at;
  return *at;
}

struct Column {
  std::uint8_t flags = 0;  // 1: part of the replica identity key
  std::string_view name;
  std::uint32_t type_oid = 0;
  std::int32_t typmod = -1;

  bool is_key() const { return (flags & 1) != 0; }
  friend bool operator==(const Column&, const Column&) = default;
};

// u16 count, then per column u8 flags, name, NUL, u32 type oid, i32 typmod.
class ColumnsView {
 public:
  class Iterator;
  using iterator = Iterator;

  ColumnsView() = default;  // no columns
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  inline Iterator begin() const;
  inline Iterator end() const;
  std::string_view bytes() const { return bytes_; }  // encoded, count included

 private:
  friend class Reader;
  ColumnsView(std::string_view bytes, std::uint16_t count) : bytes_(bytes), count_(count) {}
  std::string_view bytes_;
  std::uint16_t count_ = 0;
};

class ColumnsView::Iterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = Column;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = Column;

  Iterator() = default;
  Iterator(const char* at, std::size_t left) : at_(at), left_(left) {}
  Column operator*() const {
    const std::string_view name(at_ + 1);  // ends at the NUL the decoder has seen
    const char* after = at_ + 1 + name.size() + 1;
    return {static_cast<std::uint8_t>(*at_), name, load_big_endian<std::uint32_t>(after),
            load_big_endian<std::int32_t>(after + 4)};
  }
  Iterator& operator++() {
    at_ += 1 + std::strlen(at_ + 1) + 1 + 8;
    --left_;
    return *this;
  }
  Iterator operator++(int) {
    Iterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Iterator& a, const Iterator& b) { return a.left_ == b.left_; }

 private:
  const char* at_ = nullptr;
  std::size_t left_ = 0;
};

inline ColumnsView::Iterator ColumnsView::begin() const {
  return count_ == 0 ? Iterator() : Iterator(bytes_.data() + 2, count_);
}
inline ColumnsView::Iterator ColumnsView::end() const {
  return {};
}

// u32 oids, as many as a Truncate names.
class OidsView {
 public:
  OidsView() = default;
  explicit OidsView(std::string_view bytes) : bytes_(bytes) {}
  std::size_t size() const { return bytes_.size() / 4; }
  // index < size().
  std::uint32_t operator[](std::size_t index) const {
    return load_big_endian<std::uint32_t>(bytes_.data() + index * 4);
  }
  std::string_view bytes() const { return bytes_; }

 private:
  std::string_view bytes_;
};

}  // namespace rt::pgoutput

// What printing rows of one relation needs, made once per Relation message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proto/pgoutput.h"

namespace rt::rtreplay {

struct RowLayout {
  struct Column {
    std::string name;
    std::string json_name;  // quoted, with colon: "\"id\":"
    bool is_key = false;
  };
  std::string name;       // "public.orders"
  std::string json_name;  // quoted
  std::vector<Column> columns;
  std::size_t key_end = 0;  // columns from here on are no part of the key
  bool key_known = false;
};

// By relation OID. One thread.
class RowLayouts {
 public:
  RowLayouts() = default;
  RowLayouts(RowLayouts&&) noexcept = default;  // a copy would point into the original
  RowLayouts& operator=(RowLayouts&&) noexcept = default;

  // With REPLICA IDENTITY FULL the server marks every column as key; the key that an earlier
  // description named is then kept.
  void learn(const pgoutput::Relation& relation);
  const RowLayout* find(std::uint32_t oid) const;

 private:
  std::unordered_map<std::uint32_t, RowLayout> layouts_;
  // Rows of one table follow each other.
  mutable std::uint32_t last_oid_ = 0;
  mutable const RowLayout* last_ = nullptr;
};

}  // namespace rt::rtreplay

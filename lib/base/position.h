// Where an event stands in its stream: (commit LSN, index of the row change in its transaction).
// Written %016X-%08X, so that text order is stream order; the id of every WAL event.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rt {

struct Position {
  std::uint64_t lsn = 0;    // commit LSN: Begin.final_lsn of pgoutput
  std::uint32_t index = 0;  // counts published row changes of the transaction, from 0

  // Index of a point after every change of its transaction; also of non-transactional messages.
  static constexpr std::uint32_t kEnd = 0xFFFFFFFF;
  static constexpr std::size_t kTextSize = 25;

  friend constexpr auto operator<=>(const Position&, const Position&) = default;

  // Writes exactly kTextSize characters, no terminator.
  void write(char* out) const;
  std::string text() const;
  // Accepts exactly the written form, upper or lower case.
  static std::optional<Position> parse(std::string_view text);
};

}  // namespace rt

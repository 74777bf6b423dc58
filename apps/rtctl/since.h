// Where a subscription begins: `--since ID|begin|end|15m|RFC3339`. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace rt::rtctl {

struct Since {
  enum class Kind : std::uint8_t {
    unset,  // wherever the source begins by itself
    begin,  // the oldest event it still has
    end,    // only what is new
    id,     // after the event with this id
    time,   // what happened then or later
  };
  Kind kind = Kind::unset;
  std::string id;
  WallTime time{};
};

// "15m" and "2h" count back from `now`. What is neither a word, a duration nor an RFC 3339 time is
// an id; a duration written badly ("15 min") is, too: ids are the server's own. Code::usage on a
// time in the future, and on an id with a line break in it.
Result<Since> parse_since(std::string_view text, WallTime now);

}  // namespace rt::rtctl

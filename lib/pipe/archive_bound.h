// A place in a recording as people write it.
#pragma once

#include <string_view>
#include <variant>

#include "archive/reader.h"
#include "base/clock.h"
#include "base/position.h"
#include "base/result.h"

namespace rt {

struct ArchiveBound {
  std::variant<Position, WallTime> at;
  bool whole_transaction = false;  // an LSN: every row of it

  // An event id ("000000014D7E3B28-00000002"), an LSN ("1/4D7E3B28") or an RFC 3339 time.
  static Result<ArchiveBound> parse(std::string_view text);

  // Does the transaction or event that begins with `entry` stand at or behind this place?
  bool is_reached_by(const archive::Entry& entry) const;
  // Does it stand behind it?
  bool is_passed_by(const archive::Entry& entry) const;
};

}  // namespace rt

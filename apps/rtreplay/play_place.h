// Where a replay pauses or ends (`play --break`, `--until`): a place in the recording, or a row.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/record.h"
#include "base/result.h"
#include "pipe/archive_bound.h"

namespace rt::rtreplay {

// Sees all records of a stream in order; true for a row that meets the condition: of an insert or
// update the new row, of a delete the old one. What the recording does not hold meets none.
using RowMatch = std::function<bool(const RecordView&)>;

struct PlayPlace {
  std::optional<ArchiveBound> bound;
  RowMatch row;  // else

  // An id, an LSN, a time, or a condition as `filter --where` has them, with the table in front if
  // it is to be one: "orders.status = failed".
  static Result<PlayPlace> parse(const std::string& text);
};

}  // namespace rt::rtreplay

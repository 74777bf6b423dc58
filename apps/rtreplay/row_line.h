// A row change as a line of NDJSON. The fast path of `rtreplay cat`: it writes into space made
// beforehand instead of appending field by field, and allocates nothing once `out` has grown.
// Pure; one thread.
#pragma once

#include <string>
#include <string_view>

#include "base/position.h"
#include "proto/pgoutput.h"
#include "rtreplay/row_layout.h"

namespace rt::rtreplay {

struct RowChange {
  char op = 'I';
  const RowLayout* layout = nullptr;
  pgoutput::OldRow old_kind = pgoutput::OldRow::none;
  pgoutput::TupleView old_row;
  pgoutput::TupleView new_row;
  bool has_new = false;
};

// `transaction` is what all lines of a transaction share: see transaction_fields().
void append_row_line(std::string& out, const RowChange& row, const Position& position,
                     std::string_view transaction);

// "\",\"ts\":\"2026-03-29T00:30:00.000000Z\",\"xid\":700,\"op\":\""
void transaction_fields(std::string& out, std::string_view time, std::uint32_t xid);

}  // namespace rt::rtreplay

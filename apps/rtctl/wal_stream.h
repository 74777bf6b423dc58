// Row changes of PostgreSQL tables as a source, from a replication slot, without any server of ours
// in between. Events are those of pipe/wal_events.h: insert, update, delete, truncate, message, and
// row for what a snapshot holds; the id is the position, the topic "schema.table".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "rtctl/event_stream.h"
#include "rtctl/since.h"

namespace rt::rtctl {

struct WalStreamOptions {
  std::string dsn;
  std::string publication;  // must exist
  // Empty: a temporary one, which begins now, and where a lost connection is a gap. A named one is
  // made if it is missing, and kept: it goes on after the last event that was handed over and
  // drained (EventTaker::on_drained()), so nothing is missed; what was not confirmed in time comes
  // again, unless `since` names the id it is to go on after.
  std::string slot;
  std::vector<std::string> tables;  // only these; empty: all of the publication, and messages
  bool snapshot = false;            // first the rows that are there; a kept slot: when it is made
  // begin: all that the slot holds, as unset. With a temporary slot only unset and end.
  Since since;
  std::optional<std::uint32_t> retries_max{};  // failures in a row; 0: a lost connection is the end
};

// Nothing is connected before run(). Fails with Code::usage.
Result<std::unique_ptr<EventStream>> open_wal_stream(const WalStreamOptions& options);

}  // namespace rt::rtctl

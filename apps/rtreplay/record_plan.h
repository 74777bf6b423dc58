// Before `rtreplay record wal` reads: what the archive holds, what the slot still has, and hence
// from where to go on, with what gap, and whether with a snapshot.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "pg/connection.h"
#include "pg/slot.h"
#include "pipe/wal_source.h"
#include "rtreplay/open_archive.h"

namespace rt::rtreplay {

struct WalWish {
  bool keep_slot = false;
  bool snapshot = false;
};

struct WalPlan {
  std::string gap;  // to be recorded first; "": nothing is missing
  std::uint64_t gap_lsn = 0;
  bool says_gap = false;  // the archive says already that changes are missing at its end
};

// Fills in where `source` (named, with its slot and tables) starts. `connection` is one for
// replication. A slot that was lost is dropped if a snapshot may begin anew. Code::refused: the
// server, or its timeline, is not the one that was recorded.
Result<WalPlan> plan_recording(Connection& connection, const ServerIdentity& server,
                               const OpenedArchive& opened, const WalWish& wish,
                               WalSourceOptions& source);

}  // namespace rt::rtreplay

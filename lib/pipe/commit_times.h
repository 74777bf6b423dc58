// When transactions were committed, told by the database's own clock.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "pipe/clock_probe.h"

namespace rt {

struct Commit {
  std::uint64_t lsn = 0;     // commit LSN, as in event ids
  std::int64_t unix_us = 0;  // the database's clock when it committed
};

class CommitTimes {
 public:
  virtual ~CommitTimes() = default;
  // Appends what became known since the last call, ascending by LSN. One thread at a time.
  virtual void take(std::vector<Commit>& out) = 0;
  // Why nothing more will become known, once that is so.
  virtual std::optional<Error> fault() = 0;
  // Of the database's clock from this host's, by now; error: the largest until now. All 0: it is
  // this host's clock.
  virtual ClockOffset offset() const { return {}; }
};

}  // namespace rt

// The database's own word on when transactions were committed: a temporary slot on a publication
// that holds the table, of which only the Begin messages are looked at (final LSN and commit time).
// Works on threads of its own; the slot goes with the object.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "pipe/commit_times.h"

namespace rt {

class CommitClock final : public CommitTimes {
 public:
  // Returns when the slot streams: every later commit on `table` will be known. Picks a publication
  // that holds the table (the one named `publication`, if it does); waits for transactions that
  // run. The database's clock is compared with ours four times a second if it is on another host;
  // always_probe: on this one too.
  static Result<std::unique_ptr<CommitClock>> open(const std::string& dsn, const std::string& table,
                                                   const std::string& publication,
                                                   bool always_probe, const Clock& clock);
  ~CommitClock() override;

  void take(std::vector<Commit>& out) override;
  std::optional<Error> fault() override;
  ClockOffset offset() const override;

 private:
  struct State;  // libpq stays out of this header
  explicit CommitClock(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rt

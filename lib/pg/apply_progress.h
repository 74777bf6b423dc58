// How far a recording has been applied to a database, remembered in that database by the same
// transactions that apply it: so each is applied exactly once, whatever dies when. As the progress
// of a replication origin, which costs next to nothing and marks the rows for filters by origin;
// where origins are not permitted, as a row of the table rtreplay.progress.
// Source: PostgreSQL 15, chapter "Replication Progress Tracking".
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "pg/apply_window.h"
#include "pg/connection.h"

namespace rt {

// One thread.
class ApplyProgress {
 public:
  // Makes what is missing, and holds the name for this session: nobody else applies under it.
  // Waits for one who is about to end, at most half a minute. Code::refused if neither way is
  // permitted, Code::unreachable if the name stays taken.
  static Result<ApplyProgress> open(Connection& connection, const std::string& name,
                                    const Clock& clock);

  // Everything up to this commit LSN has been applied; 0: nothing yet.
  std::uint64_t lsn() const { return lsn_; }
  bool by_origin() const { return by_origin_; }
  const std::string& name() const { return name_; }

  // Inside a transaction, as its last statement: it brings progress to `lsn`.
  Result<void> prepare(ApplyWindow& window);
  Result<void> send(ApplyWindow& window, std::uint64_t lsn, std::int64_t committed_pg_us);
  // The same outside the window.
  Result<void> set(Connection& connection, std::uint64_t lsn);
  // What was committed is on the database's disk when this returns.
  Result<void> make_durable(Connection& connection);

 private:
  ApplyProgress(std::string name, const Clock& clock) : name_(std::move(name)), clock_(&clock) {}
  Result<bool> open_origin(Connection& connection);
  Result<void> open_table(Connection& connection);
  // Also where an origin will be used: an earlier run may have had fewer rights. False: no table.
  Result<bool> read_table(Connection& connection);
  template <typename Try>
  Result<bool> until_free(Connection& connection, Try&& attempt);

  std::string name_;
  const Clock* clock_;
  std::uint64_t lsn_ = 0;
  bool by_origin_ = false;
  ApplyArguments arguments_;
};

}  // namespace rt

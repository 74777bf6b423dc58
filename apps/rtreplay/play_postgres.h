// rtreplay play --to postgresql://..: opening the database as a target, and what is said of it.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "archive/reader.h"
#include "base/clock.h"
#include "base/result.h"
#include "pipe/postgres_sink.h"

namespace rt::rtreplay {

struct PostgresTarget {
  std::string dsn;
  std::string on_conflict = "upsert";
  std::string progress_name;  // empty: that of the recording
  std::string variant;        // .. and what else tells this play of it from others
  bool with_triggers = false;
  bool yes = false;     // also where it is not on this machine
  bool i_know = false;  // also into what is being recorded
};

// Checks all that can be checked without a connection: Code::usage.
Result<void> check_postgres_target(const PostgresTarget& target);
// Connects, refuses what is being recorded, and says what will be written to.
Result<std::unique_ptr<PostgresSink>> open_postgres_target(const PostgresTarget& target,
                                                           const archive::SegmentHeader& recording,
                                                           int cancel_fd, const Clock& clock);
// What was done, on standard error.
void report_postgres(PostgresSink& sink);

}  // namespace rt::rtreplay

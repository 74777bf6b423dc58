// How the shards of a run begin at one instant. T is an absolute date, turned into the monotonic
// clock once. Either it is given to all, or it is agreed upon in a folder that all can see: each
// shard leaves RUN.i.ready when it could begin, shard 0 waits for all of them and writes T to
// RUN.start. A shard that is missing, or that comes after T, ends the run: n-1 shards are never a
// run. Blocking; one thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "load/workload_share.h"

namespace rt {

// Waits at most that long; not 0: a signal asks to stop.
using Pause = std::function<int(std::chrono::milliseconds)>;

struct StartAt {
  WallTime at{};     // unless `after` is given
  Duration after{};  // since all shards are ready
  bool is_relative = false;
};
// "+20s", or a date (RFC 3339).
Result<StartAt> parse_start_at(std::string_view text);

struct Rendezvous {
  std::string place;  // the folder
  std::string run_id;
  std::string scenario_sha256;
  ShardOf shard;
  Duration after{};
  Duration patience = std::chrono::seconds(60);  // for the others
};
// Code::unreachable when others do not come, usage when they run something else.
Result<WallTime> agree_on_start(const Rendezvous& rendezvous, const Clock& clock,
                                const Pause& pause);

// Code::unreachable when `at` has passed; cancelled on a signal.
Result<void> wait_for_start(WallTime at, const Clock& clock, const Pause& pause);

}  // namespace rt

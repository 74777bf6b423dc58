// Who has come to a common start, and when it is: what shard 0 knows when the shards of a run meet
// at its URL. Each shard says hello again and again until it is told the start, or why there is
// none. Sans-IO; one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "load/workload_share.h"

namespace rt {

class StartRoll {
 public:
  struct Hello {
    std::string run_id;
    ShardOf shard;
    std::string scenario_sha256;
    std::string process;  // another one for each process: "host:pid"
  };

  // after: from when the last shard has come.
  StartRoll(std::string run_id, unsigned shards, std::string scenario_sha256, Duration after);

  // The start; nothing yet, while shards are missing. Once any has said what does not fit (another
  // scenario, another number of shards, a shard that two processes claim to be), or the wait was
  // given up, everyone is told so. Who is of another run is refused and changes nothing.
  Result<std::optional<WallTime>> hello(const Hello& from, WallTime now);
  // Unless the start is known: nobody waits any longer.
  void give_up(Error why);

  std::vector<unsigned> missing() const;
  // Everyone who came has heard how it ends.
  bool all_know() const;

 private:
  struct Seat {
    std::string process;  // empty: nobody has come
    bool knows = false;
  };

  const std::string run_id_;
  const std::string scenario_sha256_;
  const Duration after_;
  std::vector<Seat> seats_;
  std::optional<WallTime> start_;
  std::optional<Error> failure_;
};

// A hello as a path, and what is said to it as a body; "wait", "start MICROSECONDS", or why not.
// Code::usage if the path is none.
std::string hello_path(const StartRoll::Hello& hello);
Result<StartRoll::Hello> parse_hello_path(std::string_view path);
std::string hello_answer(const Result<std::optional<WallTime>>& told);
Result<std::optional<WallTime>> parse_hello_answer(std::string_view body);

}  // namespace rt

// The workload as a pure function: what event n is and when it is due, and which topic connection k
// follows, depend on (seed, number) and nothing else. Any number of shards, in any order, sees the
// same workload. Immutable after construction; any thread.
//
// Schedules are open loop: an instant is fixed before the run begins and does not move when the
// target or this tool is slow. The rate is a piecewise linear function of time; its integral counts
// events, and event n is due where that integral reaches n + 1/2 (constant). Poisson arrivals are
// drawn in blocks of 64: the instants inside a block are those of a Poisson process of which 64
// events are known to fall there. So arrivals bunch and thin out as independent ones do, event n
// can be computed on its own, and the count over many blocks is exact. A burst's events are all due
// when its first one would be.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "load/scenario.h"

namespace rt {

class Schedule {
 public:
  // `steps` as read from a scenario: ascending, the first at 0. `purpose` separates random streams.
  Schedule(std::vector<RateStep> steps, Arrival arrival, std::uint64_t seed,
           std::string_view purpose, std::uint64_t burst = 1);
  // A connection ramp: `rate_per_s` from 0 on.
  Schedule(const ConnectionGoal& goal, std::uint64_t seed, std::string_view phase);

  // The intended instant of event n since the schedule began. Does not decrease with n.
  // Duration::max() when the rate has gone to 0 for good before it.
  Duration due(std::uint64_t n) const;
  // How many events are due before `elapsed`: the least n with due(n) >= elapsed.
  std::uint64_t count_before(Duration elapsed) const;
  double rate_at(Duration elapsed) const;  // events a second

 private:
  struct Segment {  // the rate changes linearly from `from` to `to`
    double start_s;
    double length_s;  // +inf for the last
    double from;
    double to;
    double before;  // events before the segment
  };
  double time_of(double events) const;  // seconds until the integral of the rate reaches `events`
  double position_of(std::uint64_t n) const;  // where that integral is when event n is due

  std::vector<Segment> segments_;
  Arrival arrival_;
  std::uint64_t stream_;
  std::uint64_t burst_;
};

// Chooses one of `count` topics by number.
class TopicChoice {
 public:
  TopicChoice(const Choice& choice, std::uint64_t count, std::uint64_t seed,
              std::string_view purpose);

  // The topic of event n or connection k: 0 .. count-1. Constant time, no table; of a file: its
  // topics' numbers, by a search among its names.
  std::uint64_t of(std::uint64_t number) const;

 private:
  std::uint64_t zipf(std::uint64_t number) const;

  ChoiceKind kind_;
  std::uint64_t count_;
  std::uint64_t stream_;
  double s_;
  double share_;
  std::uint64_t part_;  // hot: how many; groups: how large
  std::shared_ptr<const TopicWeights> weights_;
  double low_ = 0;  // bounds of rejection-inversion, see schedule.cc
  double high_ = 0;
  double shortcut_ = 0;
};

}  // namespace rt

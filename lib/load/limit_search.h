// Looks for the largest load that a target holds: doubling from a load that should hold until one
// does not, then halving the gap. No single trial is believed: each load is tried again until one
// answer has the majority. A trial that supports no claim (INVALID) is repeated, and ends the
// search when it stays so, because then this machine and not the target is at its limit.
//
// Knows no clock and no socket: next() says what to try, learn() is told what came of it. One
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rt {

enum class Trial : std::uint8_t { holds, fails, invalid };

struct LimitSearchPlan {
  std::uint64_t from = 1;
  std::uint64_t to = 0;      // never beyond it
  double resolution = 0.05;  // done when the gap is at most this share of what holds
  unsigned tries = 2;        // equal answers that settle a load
};

class LimitSearch {
 public:
  explicit LimitSearch(const LimitSearchPlan& plan);

  // The load to try next, or nothing when the search is over.
  std::optional<std::uint64_t> next() const;
  void learn(Trial trial);

  // Loads that were settled, in order.
  struct Step {
    std::uint64_t load = 0;
    unsigned holds = 0;
    unsigned fails = 0;
    unsigned invalid = 0;
    Trial word = Trial::invalid;
  };
  const std::vector<Step>& steps() const { return steps_; }
  // The largest load that holds, and the smallest that does not; the limit lies between.
  std::optional<std::uint64_t> holds() const { return holds_; }
  std::optional<std::uint64_t> fails() const { return fails_; }
  // The load at which nothing could be claimed, if that ended the search.
  std::optional<std::uint64_t> unknown() const { return unknown_; }

 private:
  // Beyond so many INVALID trials of one load, a further one will not be better.
  static constexpr unsigned kInvalidMax = 2;
  void settle();
  void choose();

  LimitSearchPlan plan_;
  Step now_;
  std::vector<Step> steps_;
  std::optional<std::uint64_t> holds_;
  std::optional<std::uint64_t> fails_;
  std::optional<std::uint64_t> unknown_;
  bool over_ = false;
};

}  // namespace rt

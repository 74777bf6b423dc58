// The slowest connection and the slowest topic, for thresholds that ask about them (worst_conn.p95,
// worst_topic.p95): percentiles over all deliveries hide a starving few. Nothing is kept unless a
// threshold asks. The control thread's.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "load/outcome.h"
#include "load/scenario.h"

namespace rt {

// Latencies by subject, in 128 bytes a subject: counts in steps of a quarter of an octave, from a
// nineteenth of a limit to eight times it. One step ends exactly at the limit, so that on which
// side of it a percentile lies is certain, and its value is known to 19 %.
class SubjectTimes {
 public:
  // `below`: the limit itself is on the far side of it, as in "< 300ms".
  SubjectTimes(std::size_t subjects, double limit_us, bool below);

  void record(std::uint32_t subject, std::int64_t us) {
    largest_us_ = std::max(largest_us_, us);
    count(subject, step_of(us), 1);
  }
  // So many were due and never came: they are beyond any limit.
  void miss(std::uint32_t subject, std::uint64_t values) { count(subject, kNever, values); }

  struct Worst {
    std::uint32_t subject = 0;
    std::int64_t low_us = 0;   // the percentile is above this
    std::int64_t high_us = 0;  // and at most this
    bool never = false;        // it falls on what never came
  };
  // Of the subject whose percentile is the highest; nullopt: nothing was recorded. Within a step,
  // the first.
  std::optional<Worst> worst(double quantile) const;

  std::size_t bytes() const { return subjects_.size() * kSubjectBytes; }

  static constexpr std::size_t kSubjectBytes = 32 * sizeof(std::uint32_t);

 private:
  static constexpr std::size_t kEdges = 30;       // steps with an upper end
  static constexpr std::size_t kLimitStep = 17;   // ends at the limit
  static constexpr std::size_t kBeyond = kEdges;  // above the last edge
  static constexpr std::size_t kNever = kEdges + 1;
  using Counts = std::array<std::uint32_t, kEdges + 2>;
  static_assert(sizeof(Counts) == kSubjectBytes);

  std::size_t step_of(std::int64_t us) const;
  void count(std::uint32_t subject, std::size_t step, std::uint64_t values);
  static std::size_t step_at(const Counts& counts, double quantile);

  std::array<std::int64_t, kEdges> edges_{};
  std::int64_t largest_us_ = 0;
  std::vector<Counts> subjects_;
};

// One SubjectTimes for each threshold that wants one.
class WorstCases {
 public:
  // topic_of: subscription to topic; each: subscriptions that a connection has at most.
  WorstCases(const Scenario& scenario, std::uint64_t connections,
             std::function<std::uint32_t(std::uint64_t)> topic_of, std::uint32_t each = 1);

  bool empty() const { return watches_.empty(); }
  std::size_t bytes() const;
  // What a scenario's thresholds will take.
  static std::uint64_t bytes_for(const Scenario& scenario);

  // phase: as an index; of a delivery that counts (not of a cohort, not replayed).
  void record(std::size_t phase, std::uint32_t subscription, std::int64_t us);
  void miss(std::size_t phase, std::uint32_t subscription, std::uint64_t values);
  std::vector<WorstCase> result(const Scenario& scenario) const;

 private:
  struct Watch {
    Metric metric;
    std::string phase;  // as the threshold has it
    double limit_us;
    std::vector<bool> counts;  // by phase
    SubjectTimes times;
  };
  std::uint32_t subject_of(const Watch& watch, std::uint32_t subscription) const {
    return watch.metric == Metric::worst_topic ? topic_of_(subscription) : subscription / each_;
  }

  std::vector<Watch> watches_;
  std::function<std::uint32_t(std::uint64_t)> topic_of_;
  std::uint32_t each_;
};

}  // namespace rt

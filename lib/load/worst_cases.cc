#include "load/worst_cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace rt {
namespace {

std::uint64_t subjects_of(const Threshold& threshold, const Scenario& scenario) {
  return threshold.metric == Metric::worst_topic ? scenario.subscriptions.topics
                                                 : scenario.connections();
}

}  // namespace

SubjectTimes::SubjectTimes(std::size_t subjects, double limit_us, bool below)
    : subjects_(subjects) {
  for (std::size_t step = 0; step < kEdges; ++step) {
    const double octaves = (static_cast<double>(step) - static_cast<double>(kLimitStep)) / 4;
    const double edge = std::floor(limit_us * std::exp2(octaves));
    edges_[step] = static_cast<std::int64_t>(edge);
  }
  // Whole microseconds are recorded, so that "below 300 ms" is "up to 299,999 us".
  if (below) edges_[kLimitStep] = static_cast<std::int64_t>(std::ceil(limit_us)) - 1;
}

std::size_t SubjectTimes::step_of(std::int64_t us) const {
  return static_cast<std::size_t>(std::lower_bound(edges_.begin(), edges_.end(), us) -
                                  edges_.begin());
}

void SubjectTimes::count(std::uint32_t subject, std::size_t step, std::uint64_t values) {
  // Four thousand million deliveries of one subject are more than any run has.
  std::uint32_t& counter = subjects_[subject][step];
  const std::uint64_t most = std::numeric_limits<std::uint32_t>::max() - counter;
  counter += static_cast<std::uint32_t>(std::min(values, most));
}

// In which step the percentile lies; kNever + 1: there is nothing.
std::size_t SubjectTimes::step_at(const Counts& counts, double quantile) {
  const std::uint64_t all = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  if (all == 0) return kNever + 1;
  const auto rank = static_cast<std::uint64_t>(std::ceil(quantile * static_cast<double>(all)));
  std::uint64_t below = 0;
  std::size_t step = 0;
  while (step < kNever && (below += counts[step]) < rank) ++step;
  return step;
}

std::optional<SubjectTimes::Worst> SubjectTimes::worst(double quantile) const {
  std::optional<Worst> worst;
  std::size_t highest = 0;
  for (std::size_t subject = 0; subject < subjects_.size(); ++subject) {
    const std::size_t step = step_at(subjects_[subject], quantile);
    if (step > kNever || (worst && step <= highest)) continue;
    highest = step;
    worst.emplace();
    worst->subject = static_cast<std::uint32_t>(subject);
    worst->never = step == kNever;
    worst->low_us = step == 0 ? 0 : edges_[std::min(step, kEdges) - 1];
    worst->high_us = step < kEdges ? edges_[step] : largest_us_;
  }
  return worst;
}

WorstCases::WorstCases(const Scenario& scenario, std::uint64_t connections,
                       std::function<std::uint32_t(std::uint64_t)> topic_of, std::uint32_t each)
    : topic_of_(std::move(topic_of)), each_(each) {
  for (const Threshold& threshold : scenario.thresholds) {
    if (!is_worst(threshold.metric)) continue;
    std::vector<bool> counts;
    for (const PhaseSpec& phase : scenario.phases) {
      counts.push_back(threshold.phase.empty() ? phase.measure : phase.name == threshold.phase);
    }
    const bool below = threshold.comparison == Comparison::less ||
                       threshold.comparison == Comparison::greater_equal;
    const std::uint64_t subjects =
        threshold.metric == Metric::worst_topic ? scenario.subscriptions.topics : connections;
    watches_.push_back({threshold.metric, threshold.phase, threshold.value, std::move(counts),
                        SubjectTimes(subjects, threshold.value, below)});
  }
}

std::size_t WorstCases::bytes() const {
  std::size_t bytes = 0;
  for (const Watch& watch : watches_) bytes += watch.times.bytes();
  return bytes;
}

std::uint64_t WorstCases::bytes_for(const Scenario& scenario) {
  std::uint64_t bytes = 0;
  for (const Threshold& threshold : scenario.thresholds) {
    if (is_worst(threshold.metric))
      bytes += subjects_of(threshold, scenario) * SubjectTimes::kSubjectBytes;
  }
  return bytes;
}

void WorstCases::record(std::size_t phase, std::uint32_t subscription, std::int64_t us) {
  for (Watch& watch : watches_) {
    if (watch.counts[phase]) watch.times.record(subject_of(watch, subscription), us);
  }
}

void WorstCases::miss(std::size_t phase, std::uint32_t subscription, std::uint64_t values) {
  for (Watch& watch : watches_) {
    if (watch.counts[phase]) watch.times.miss(subject_of(watch, subscription), values);
  }
}

std::vector<WorstCase> WorstCases::result(const Scenario& scenario) const {
  std::vector<WorstCase> cases;
  for (const Watch& watch : watches_) {
    const auto worst = watch.times.worst(0.95);
    if (!worst) continue;
    WorstCase& one = cases.emplace_back();
    const bool topic = watch.metric == Metric::worst_topic;
    one.metric = topic ? "worst_topic" : "worst_conn";
    one.phase = watch.phase;
    one.limit_us = watch.limit_us;
    one.low_us = static_cast<double>(worst->low_us);
    one.high_us = static_cast<double>(worst->high_us);
    one.never = worst->never;
    const auto named = [&](std::uint32_t number) {
      return "topic " + scenario.subscriptions.topic_name(number);
    };
    one.who = topic ? named(worst->subject) : fmt::format("connection {}", worst->subject);
    if (!topic && each_ == 1) one.who += ", " + named(topic_of_(worst->subject));
  }
  return cases;
}

}  // namespace rt

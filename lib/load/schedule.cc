#include "load/schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/random.h"

namespace rt {
namespace {

constexpr double kForever = std::numeric_limits<double>::infinity();
constexpr std::uint64_t kBlock = 64;  // poisson arrivals drawn together: 64 draws for one instant

double seconds(Duration d) {
  return static_cast<double>(d.count()) * 1e-9;
}

// Where the event `index` of a block of kBlock falls in it, 0..1: the order statistic of kBlock
// uniform instants, which is how Poisson arrivals fall in an interval once their number is known.
double place_in_block(std::uint64_t stream, std::uint64_t block, std::uint64_t index) {
  Random random = Random::of(stream, {}, block);
  std::array<double, kBlock> places;
  for (double& place : places) place = random.unit();
  const auto wanted = places.begin() + static_cast<std::ptrdiff_t>(index);
  std::nth_element(places.begin(), wanted, places.end());
  return *wanted;
}

}  // namespace

Schedule::Schedule(std::vector<RateStep> steps, Arrival arrival, std::uint64_t seed,
                   std::string_view purpose, std::uint64_t burst)
    : arrival_(arrival), stream_(Random::of(seed, purpose).next()), burst_(burst) {
  double rate = 0;
  double before = 0;
  const auto add = [&](double start_s, double length_s, double to) {
    if (length_s <= 0) return;
    segments_.push_back({start_s, length_s, rate, to, before});
    if (std::isfinite(length_s)) before += length_s * (rate + to) / 2;
  };
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double at = seconds(steps[i].at);
    const double ramp = seconds(steps[i].ramp);
    const double end = i + 1 < steps.size() ? seconds(steps[i + 1].at) : kForever;
    add(at, ramp, steps[i].per_s);
    rate = steps[i].per_s;
    add(at + ramp, end - at - ramp, rate);
  }
}

Schedule::Schedule(const ConnectionGoal& goal, std::uint64_t seed, std::string_view phase)
    : Schedule({RateStep{Duration::zero(), goal.rate_per_s, Duration::zero()}}, goal.arrival, seed,
               phase) {}

double Schedule::time_of(double events) const {
  const auto after = std::upper_bound(segments_.begin(), segments_.end(), events,
                                      [](double e, const Segment& s) { return e < s.before; });
  if (after == segments_.begin()) return kForever;
  const Segment& segment = *(after - 1);
  const double rest = events - segment.before;
  if (segment.from == segment.to)
    return segment.from > 0 ? segment.start_s + rest / segment.from : kForever;
  // from * t + slope / 2 * t^2 = rest, solved without cancellation.
  const double slope = (segment.to - segment.from) / segment.length_s;
  const double root = std::sqrt(std::max(0.0, segment.from * segment.from + 2 * slope * rest));
  if (rest == 0) return segment.start_s;
  return segment.start_s + std::min(segment.length_s, 2 * rest / (segment.from + root));
}

double Schedule::position_of(std::uint64_t n) const {
  if (arrival_ == Arrival::constant) return static_cast<double>(n) + 0.5;
  if (arrival_ == Arrival::burst) return static_cast<double>(n / burst_ * burst_) + 0.5;
  const std::uint64_t block = n / kBlock;
  return static_cast<double>(kBlock) *
         (static_cast<double>(block) + place_in_block(stream_, block, n % kBlock));
}

Duration Schedule::due(std::uint64_t n) const {
  const double at = time_of(position_of(n));
  if (at > 9e9) return Duration::max();  // 285 years: the end of what nanoseconds can count
  return Duration(std::llround(at * 1e9));
}

std::uint64_t Schedule::count_before(Duration elapsed) const {
  if (elapsed <= Duration::zero()) return 0;
  double events = 0;
  for (const Segment& segment : segments_) {
    const double t = std::min(seconds(elapsed) - segment.start_s, segment.length_s);
    if (t <= 0) break;
    const double slope =
        std::isfinite(segment.length_s) ? (segment.to - segment.from) / segment.length_s : 0;
    events = segment.before + t * (segment.from + slope * t / 2);
  }
  // Within one block of the integral; settled by the instants themselves.
  const double slack = arrival_ == Arrival::constant ? 1
                       : arrival_ == Arrival::burst  ? static_cast<double>(burst_)
                                                     : static_cast<double>(kBlock);
  auto low = static_cast<std::uint64_t>(std::max(0.0, events - slack - 1));
  auto high = static_cast<std::uint64_t>(events + slack + 2);
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (due(middle) < elapsed)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

double Schedule::rate_at(Duration elapsed) const {
  const double at = seconds(elapsed);
  for (const Segment& segment : segments_) {
    if (at < segment.start_s || at >= segment.start_s + segment.length_s) continue;
    if (segment.from == segment.to) return segment.from;
    return segment.from + (segment.to - segment.from) * (at - segment.start_s) / segment.length_s;
  }
  return 0;
}

// Zipf by rejection-inversion (W. Hörmann and G. Derflinger, "Rejection-inversion to generate
// variates from monotone discrete distributions", 1996): the rank k has weight k^-s, and the hat is
// the integral of x^-s, in forms that stay exact near s = 1.
namespace {

double expm1_over(double x) {
  return std::fabs(x) > 1e-8 ? std::expm1(x) / x : 1 + x / 2;
}
double log1p_over(double x) {
  return std::fabs(x) > 1e-8 ? std::log1p(x) / x : 1 - x / 2;
}
double weight(double x, double s) {
  return std::exp(-s * std::log(x));
}
double integral(double x, double s) {
  return expm1_over((1 - s) * std::log(x)) * std::log(x);
}
double integral_inverse(double y, double s) {
  return std::exp(log1p_over(std::max(-1.0, y * (1 - s))) * y);
}

}  // namespace

TopicChoice::TopicChoice(const Choice& choice, std::uint64_t count, std::uint64_t seed,
                         std::string_view purpose)
    : kind_(choice.kind),
      count_(count),
      stream_(Random::of(seed, purpose).next()),
      s_(choice.s),
      share_(choice.share),
      part_(choice.kind == ChoiceKind::groups ? choice.size : std::min(choice.topics, count)),
      weights_(choice.weights) {
  if (kind_ != ChoiceKind::zipf) return;
  low_ = integral(1.5, s_) - 1;
  high_ = integral(static_cast<double>(count) + 0.5, s_);
  shortcut_ = 2 - integral_inverse(integral(2.5, s_) - weight(2, s_), s_);
}

std::uint64_t TopicChoice::zipf(std::uint64_t number) const {
  Random random = Random::of(stream_, {}, number);
  for (;;) {  // one try in ten fails at worst
    const double y = high_ + random.unit() * (low_ - high_);
    const double x = integral_inverse(y, s_);
    const double rank = std::clamp(std::floor(x + 0.5), 1.0, static_cast<double>(count_));
    if (rank - x <= shortcut_ || y >= integral(rank + 0.5, s_) - weight(rank, s_)) {
      return static_cast<std::uint64_t>(rank) - 1;
    }
  }
}

std::uint64_t TopicChoice::of(std::uint64_t number) const {
  switch (kind_) {
    case ChoiceKind::one:
      return 0;
    case ChoiceKind::round_robin:
      return number % count_;
    case ChoiceKind::uniform:
      return Random::of(stream_, {}, number).below(count_);
    case ChoiceKind::zipf:
      return zipf(number);
    case ChoiceKind::hot: {
      Random random = Random::of(stream_, {}, number);
      return random.unit() < share_ ? random.below(part_) : random.below(count_);
    }
    case ChoiceKind::groups:
      return number / part_ % count_;
    case ChoiceKind::file: {
      const std::vector<std::uint64_t>& up_to = weights_->up_to;
      const std::uint64_t at = Random::of(stream_, {}, number).below(up_to.back());
      const auto found = std::upper_bound(up_to.begin(), up_to.end(), at);
      return weights_->topics[static_cast<std::size_t>(found - up_to.begin())];
    }
  }
  return 0;
}

}  // namespace rt

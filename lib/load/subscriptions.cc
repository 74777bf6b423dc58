#include "load/subscriptions.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/random.h"
#include "load/lognormal.h"

namespace rt {

Subscriptions::Subscriptions(const SubscriptionSpec& spec, std::uint64_t seed)
    : choice_(spec.choice, spec.topics, seed, "subscriptions"),
      topics_(spec.choice.weights ? spec.choice.weights->topics.size() : spec.topics),
      seed_(seed),
      dist_(spec.per_connection),
      least_(spec.least_topics),
      most_(spec.most_topics),
      ranks_({ChoiceKind::zipf, spec.topics_s}, std::uint64_t{most_} - least_ + 1, seed,
             "per_connection"),
      p50_(spec.topics_p50),
      p99_(spec.topics_p99),
      filter_(spec.filter),
      places_(spec.places()) {}

bool Subscriptions::is_filtered(std::uint64_t connection) const {
  return !filter_.topics.empty() && Random::of(seed_, "filter", connection).unit() < filter_.share;
}

std::uint32_t Subscriptions::count_of(std::uint64_t connection) const {
  using Dist = SubscriptionSpec::PerConnection;
  if (dist_ == Dist::zipf) return least_ + static_cast<std::uint32_t>(ranks_.of(connection));
  Random random = Random::of(seed_, "per_connection", connection);
  if (dist_ == Dist::lognormal) {
    const double drawn = std::round(lognormal(p50_, p99_, random));
    return static_cast<std::uint32_t>(std::clamp<double>(drawn, least_, most_));
  }
  const std::uint64_t range = std::uint64_t{most_} - least_ + 1;
  return least_ + static_cast<std::uint32_t>(random.below(range));
}

std::uint32_t Subscriptions::topic_of(std::uint64_t subscription) const {
  if (!filter_.topics.empty()) {
    const std::uint64_t connection = subscription / places_;
    const std::uint64_t place = subscription % places_;
    if (is_filtered(connection)) {
      return place < filter_.topics.size() ? filter_.topics[place] : kNone;
    }
    if (place >= most_) return kNone;
    subscription = connection * most_ + place;
  }
  if (most_ == 1) return static_cast<std::uint32_t>(choice_.of(subscription));
  const std::uint64_t connection = subscription / most_;
  const auto place = static_cast<std::uint32_t>(subscription % most_);
  if (place >= count_of(connection)) return kNone;
  // One after another: what is taken already gives way to the next that is free. There are at least
  // as many topics as places.
  std::array<std::uint64_t, kTopicsOfStreamMax> taken{};
  for (std::uint32_t i = 0; i <= place; ++i) {
    std::uint64_t topic = choice_.of(connection * most_ + i);
    const auto end = taken.begin() + i;
    while (std::find(taken.begin(), end, topic) != end) topic = (topic + 1) % topics_;
    taken[i] = topic;
  }
  return static_cast<std::uint32_t>(taken[place]);
}

}  // namespace rt

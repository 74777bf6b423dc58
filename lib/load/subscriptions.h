// Who follows which topics: a pure function of (seed, connection). Each connection has up to most()
// places, and a topic of its own in each that is taken; a subscription's number is connection *
// most() + place. Immutable; any thread.
#pragma once

#include <cstdint>
#include <limits>

#include "load/scenario.h"
#include "load/schedule.h"

namespace rt {

class Subscriptions {
 public:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  Subscriptions(const SubscriptionSpec& spec, std::uint64_t seed);

  std::uint32_t most() const { return places_; }
  // Its topic, or kNone: the place is empty. Taken places come first.
  std::uint32_t topic_of(std::uint64_t subscription) const;
  // Whether the connection asks for what the filter lets through, and for nothing else.
  bool is_filtered(std::uint64_t connection) const;

 private:
  std::uint32_t count_of(std::uint64_t connection) const;

  TopicChoice choice_;
  std::uint64_t topics_;  // that it chooses of: 0 .. topics-1
  std::uint64_t seed_;
  SubscriptionSpec::PerConnection dist_;
  std::uint32_t least_;
  std::uint32_t most_;
  TopicChoice ranks_;  // zipf: how many more than the least
  double p50_;         // lognormal
  double p99_;
  FilterSpec filter_;
  std::uint32_t places_;
};

}  // namespace rt

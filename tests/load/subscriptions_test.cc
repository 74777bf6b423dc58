#include "load/subscriptions.h"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <set>

using rt::ChoiceKind;
using rt::Subscriptions;
using rt::SubscriptionSpec;

namespace {

SubscriptionSpec spec_of(std::uint64_t topics, std::uint32_t least, std::uint32_t most,
                         ChoiceKind kind) {
  SubscriptionSpec spec;
  spec.topics = topics;
  spec.least_topics = least;
  spec.most_topics = most;
  spec.choice.kind = kind;
  spec.choice.s = 1.1;
  return spec;
}

}  // namespace

TEST_CASE("subscriptions: a connection's topics differ, taken places come first, as many as asked",
          "[load][subscriptions]") {
  rc::prop("for any number and choice of topics", [] {
    const auto most = *rc::gen::inRange<std::uint32_t>(1, 9);
    const auto least = *rc::gen::inRange<std::uint32_t>(1, most + 1);
    const auto topics = *rc::gen::inRange<std::uint64_t>(most, 40);
    const auto kind = *rc::gen::element(ChoiceKind::round_robin, ChoiceKind::uniform,
                                        ChoiceKind::zipf, ChoiceKind::one);
    const Subscriptions subscriptions(spec_of(topics, least, most, kind), 7);
    for (std::uint64_t connection = 0; connection < 50; ++connection) {
      std::set<std::uint32_t> seen;
      bool ended = false;
      for (std::uint32_t place = 0; place < most; ++place) {
        const std::uint32_t topic = subscriptions.topic_of(connection * most + place);
        ended = ended || topic == Subscriptions::kNone;
        RC_ASSERT(ended == (topic == Subscriptions::kNone));
        if (ended) continue;
        RC_ASSERT(topic < topics);
        RC_ASSERT(seen.insert(topic).second);
      }
      RC_ASSERT(seen.size() >= least);
    }
  });
}

TEST_CASE("subscriptions: uniform takes every number of topics from least to most",
          "[load][subscriptions]") {
  const Subscriptions subscriptions(spec_of(20, 2, 4, ChoiceKind::uniform), 42);
  std::set<int> counts;
  for (std::uint64_t connection = 0; connection < 100; ++connection) {
    int count = 0;
    for (std::uint32_t place = 0; place < 4; ++place) {
      count += subscriptions.topic_of(connection * 4 + place) != Subscriptions::kNone ? 1 : 0;
    }
    counts.insert(count);
  }
  CHECK(counts == std::set<int>{2, 3, 4});
}

TEST_CASE("subscriptions: a filter takes the place of the choice, for its share of connections",
          "[load][subscriptions]") {
  SubscriptionSpec spec = spec_of(20, 1, 1, ChoiceKind::uniform);
  const Subscriptions plain(spec, 42);
  spec.filter = {0.25, {3, 7, 11}};
  const Subscriptions subscriptions(spec, 42);
  REQUIRE(subscriptions.most() == 3);
  int filtered = 0;
  for (std::uint64_t connection = 0; connection < 4'000; ++connection) {
    const auto topic = [&](std::uint64_t place) {
      return subscriptions.topic_of(connection * 3 + place);
    };
    if (subscriptions.is_filtered(connection)) {
      ++filtered;
      REQUIRE((topic(0) == 3 && topic(1) == 7 && topic(2) == 11));
    } else {
      // The others follow what they would without it.
      REQUIRE(topic(0) == plain.topic_of(connection));
      REQUIRE((topic(1) == Subscriptions::kNone && topic(2) == Subscriptions::kNone));
    }
  }
  CHECK(filtered > 900);
  CHECK(filtered < 1'100);
  spec.filter = {1, {5}};
  const Subscriptions one(spec, 42);
  REQUIRE(one.most() == 2);
  CHECK((one.topic_of(0) == 5 && one.topic_of(1) == Subscriptions::kNone));
}

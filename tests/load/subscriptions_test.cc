#include "load/subscriptions.h"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <numeric>
#include <set>
#include <vector>

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

namespace {

// How many connections of a thousand have 1, 2, ... topics.
std::vector<int> spread_of(const SubscriptionSpec& spec) {
  const Subscriptions subscriptions(spec, 42);
  std::vector<int> spread(spec.most_topics + 1, 0);
  for (std::uint64_t connection = 0; connection < 1'000; ++connection) {
    std::size_t count = 0;
    for (std::uint32_t place = 0; place < spec.most_topics; ++place) {
      const std::uint64_t number = connection * spec.most_topics + place;
      count += subscriptions.topic_of(number) != Subscriptions::kNone ? 1U : 0U;
    }
    ++spread[count];
  }
  return spread;
}

}  // namespace

TEST_CASE("subscriptions: zipf takes the least number of topics most often, by its exponent",
          "[load][subscriptions]") {
  SubscriptionSpec spec = spec_of(50, 2, 9, ChoiceKind::uniform);
  spec.per_connection = SubscriptionSpec::PerConnection::zipf;
  spec.topics_s = 1;
  const std::vector<int> spread = spread_of(spec);
  // The n-th of eight has the share 1/n of 1 + 1/2 + ... + 1/8 = 2.718.
  CHECK(spread[1] == 0);
  CHECK(spread[2] == Approx(1'000 / 2.718).epsilon(0.1));
  CHECK(spread[3] == Approx(500 / 2.718).epsilon(0.15));
  CHECK(spread[9] == Approx(125 / 2.718).epsilon(0.35));
}

TEST_CASE("subscriptions: lognormal has the median and 99th percentile asked for, within bounds",
          "[load][subscriptions]") {
  SubscriptionSpec spec = spec_of(200, 1, 64, ChoiceKind::uniform);
  spec.per_connection = SubscriptionSpec::PerConnection::lognormal;
  spec.topics_p50 = 6;
  spec.topics_p99 = 30;
  std::vector<int> spread = spread_of(spec);
  const auto at_most = [&](std::size_t n) {
    return std::accumulate(&spread[0], &spread[n] + 1, 0);
  };
  CHECK(at_most(5) < 500);
  CHECK(at_most(7) > 500);
  CHECK(at_most(20) < 985);
  CHECK(at_most(40) > 990);
  spec.least_topics = 4;
  spec.most_topics = 8;
  spread = spread_of(spec);
  CHECK(at_most(3) == 0);
  CHECK(spread[4] > 200);  // what would be fewer
  CHECK(spread[8] > 200);  // and more
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

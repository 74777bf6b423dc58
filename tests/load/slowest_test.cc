#include "load/slowest.h"

#include <rapidcheck/catch.h>

#include <algorithm>
#include <catch2/catch.hpp>

namespace {

using rt::add_slowest;
using rt::Delivery;
using rt::SlowDeliveries;
using rt::SlowDelivery;
using rt::Slowest;

Delivery delivery_of(std::uint32_t connection, std::uint32_t sequence, std::uint32_t bucket = 0) {
  Delivery delivery;
  delivery.subscription = connection;
  delivery.sequence = sequence;
  delivery.bucket = bucket;
  return delivery;
}

// Few values, so that many are equal.
SlowDeliveries some(std::size_t most, std::uint64_t first_connection) {
  SlowDeliveries out;
  out.most = most;
  const auto values =
      *rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(0, 6));
  for (std::size_t i = 0; i < values.size(); ++i) {
    SlowDelivery slow;
    slow.delivery_us = values[i];
    slow.connection = first_connection + i % 3;
    slow.event = static_cast<std::uint32_t>(i);
    out.list.push_back(slow);
  }
  SlowDeliveries sorted;
  sorted.most = most;
  add_slowest(sorted, out);
  return sorted;
}

bool same(const SlowDeliveries& a, const SlowDeliveries& b) {
  return a.most == b.most && std::equal(a.list.begin(), a.list.end(), b.list.begin(), b.list.end(),
                                        [](const SlowDelivery& x, const SlowDelivery& y) {
                                          return x.delivery_us == y.delivery_us &&
                                                 x.connection == y.connection && x.event == y.event;
                                        });
}

}  // namespace

TEST_CASE("slowest: those with the largest latencies are kept, of phases that count",
          "[load][slowest]") {
  Slowest slowest(3, {false, true});
  for (std::uint32_t i = 0; i < 100; ++i) {
    slowest.record(delivery_of(i, 1, 1), i * 37 % 100, 0, 0);
    slowest.record(delivery_of(i, 2, 0), 1'000, 0, 0);  // warming up
    slowest.record(delivery_of(i, 3, 2), 1'000, 0, 0);  // of a cohort
  }
  std::vector<std::int64_t> kept;
  for (const Slowest::Kept& one : slowest.kept()) kept.push_back(one.us);
  std::sort(kept.begin(), kept.end());
  CHECK(kept == std::vector<std::int64_t>{97, 98, 99});
}

TEST_CASE("slowest: none are kept when none are asked for", "[load][slowest]") {
  Slowest slowest(0, {true});
  slowest.record(delivery_of(1, 1), 5, 0, 0);
  CHECK(slowest.kept().empty());
}

TEST_CASE("slowest: which of equal ones are kept does not depend on when they came",
          "[load][slowest]") {
  rc::prop("any order of arrival", [] {
    std::vector<std::uint32_t> order(20);
    for (std::uint32_t i = 0; i < 20; ++i) order[i] = i;
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[*rc::gen::inRange<std::size_t>(0, i)]);
    }
    Slowest slowest(4, {true});
    for (const std::uint32_t i : order) slowest.record(delivery_of(i, 1), i % 2, 0, 0);
    std::vector<std::uint32_t> kept;
    for (const Slowest::Kept& one : slowest.kept()) kept.push_back(one.delivery.subscription);
    std::sort(kept.begin(), kept.end());
    RC_ASSERT(kept == (std::vector<std::uint32_t>{1, 3, 5, 7}));
  });
}

TEST_CASE("slowest: adding is associative and knows no order", "[load][slowest][merge]") {
  rc::prop("three shards", [] {
    const auto most = *rc::gen::inRange<std::size_t>(1, 12);
    const SlowDeliveries a = some(most, 0);
    const SlowDeliveries b = some(most, 100);
    const SlowDeliveries c = some(most, 200);
    SlowDeliveries left = a;
    add_slowest(left, b);
    add_slowest(left, c);
    SlowDeliveries right = c;
    add_slowest(right, b);
    SlowDeliveries whole = a;
    add_slowest(whole, right);
    RC_ASSERT(same(left, whole));
  });
}

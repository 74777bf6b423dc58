#include "load/histogram.h"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "base/random.h"

using rt::Histogram;

namespace {

Histogram of(const std::vector<std::int64_t>& values) {
  Histogram histogram;
  for (const std::int64_t value : values) histogram.record(value);
  return histogram;
}

// Values of every magnitude from below 1 us to above 1 h, as latencies have them.
rc::Gen<std::int64_t> latency() {
  return rc::gen::map(rc::gen::pair(rc::gen::inRange(0, 33), rc::gen::arbitrary<std::uint32_t>()),
                      [](const std::pair<int, std::uint32_t>& at) {
                        const std::int64_t span = std::int64_t{1} << at.first;
                        return span + static_cast<std::int64_t>(at.second) % span - 1;
                      });
}

double sorted_percentile(std::vector<std::int64_t> values, double quantile) {
  for (std::int64_t& value : values)
    value = std::clamp(value, Histogram::kMinUs, Histogram::kMaxUs);
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(quantile * static_cast<double>(values.size()) - 1e-9);
  return static_cast<double>(values[static_cast<std::size_t>(std::max(1.0, rank)) - 1]);
}

}  // namespace

TEST_CASE("histogram: slots are contiguous and cover 1 us to 1 h", "[load][histogram]") {
  REQUIRE(Histogram::slot_of(0) == 0);
  REQUIRE(Histogram::slot_of(2047) == 2047);
  REQUIRE(Histogram::slot_of(2048) == 2048);
  REQUIRE(Histogram::slot_of(2049) == 2048);
  for (std::size_t slot = 1; slot < Histogram::kSlots; ++slot) {
    const std::int64_t low = Histogram::lowest_of(slot);
    const std::int64_t high = Histogram::highest_of(slot);
    REQUIRE(low == Histogram::highest_of(slot - 1) + 1);
    if (high > Histogram::kMaxUs) break;
    REQUIRE(Histogram::slot_of(low) == slot);
    REQUIRE(Histogram::slot_of(high) == slot);
  }
  REQUIRE(Histogram::slot_of(Histogram::kMaxUs) < Histogram::kSlots);
}

TEST_CASE("histogram: a slot is never wider than a thousandth of its value", "[load][histogram]") {
  rc::prop("quantisation keeps three digits", [] {
    const std::int64_t us = std::clamp(*latency(), Histogram::kMinUs, Histogram::kMaxUs);
    RC_ASSERT(Histogram::quantisation_us(us) * 1000 <= us);
  });
  REQUIRE(Histogram::quantisation_us(300'000) == 255);  // 0.26 ms at 300 ms
}

TEST_CASE("histogram: percentiles agree with the sorted values within one slot",
          "[load][histogram]") {
  rc::prop("percentile", [] {
    const auto values =
        *rc::gen::nonEmpty(rc::gen::container<std::vector<std::int64_t>>(latency()));
    const Histogram histogram = of(values);
    for (const double quantile : {0.001, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
      const double truth = sorted_percentile(values, quantile);
      const double found = histogram.percentile_us(quantile);
      RC_ASSERT(found >= truth);
      RC_ASSERT(found - truth <=
                static_cast<double>(Histogram::quantisation_us(static_cast<std::int64_t>(truth))));
    }
  });
}

TEST_CASE("histogram: merging is commutative and associative", "[load][histogram]") {
  rc::prop("merge", [] {
    const auto values = rc::gen::container<std::vector<std::int64_t>>(latency());
    const Histogram a = of(*values), b = of(*values), c = of(*values);
    Histogram ab(a), ba(b), bc(b);
    ab.add(b);
    ba.add(a);
    RC_ASSERT(ab == ba);
    Histogram left(ab), right(a);
    left.add(c);
    bc.add(c);
    right.add(bc);
    RC_ASSERT(left == right);
  });
}

TEST_CASE("histogram: any number of shards gives the same sum", "[load][histogram]") {
  rc::prop("shards", [] {
    const auto values = *rc::gen::container<std::vector<std::int64_t>>(latency());
    const auto shards = static_cast<std::size_t>(*rc::gen::inRange(1, 9));
    std::vector<Histogram> parts(shards);
    for (std::size_t i = 0; i < values.size(); ++i) parts[i % shards].record(values[i]);
    Histogram sum;
    for (const Histogram& part : parts) sum.add(part);
    RC_ASSERT(sum == of(values));
  });
}

TEST_CASE("histogram: sparse pairs carry it without loss", "[load][histogram]") {
  rc::prop("round trip", [] {
    const Histogram histogram = of(*rc::gen::container<std::vector<std::int64_t>>(latency()));
    const auto read = Histogram::from_sparse(histogram.sparse());
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == histogram);
  });
}

TEST_CASE("histogram: values out of range are counted, never dropped", "[load][histogram]") {
  const Histogram histogram = of({-5, 0, 1, Histogram::kMaxUs, Histogram::kMaxUs + 1});
  REQUIRE(histogram.count() == 5);
  REQUIRE(histogram.negatives() == 1);
  REQUIRE(histogram.clamped() == 1);
  REQUIRE(histogram.min_us() == -5);
  REQUIRE(histogram.max_us() == Histogram::kMaxUs + 1);
  REQUIRE(histogram.percentile_us(0.6) == 1);
  REQUIRE(histogram.percentile_us(1) == Histogram::kMaxUs);
}

TEST_CASE("histogram: what never arrived counts as infinite", "[load][histogram]") {
  std::vector<std::int64_t> values(90, 12'000);
  const Histogram histogram = of(values);
  REQUIRE(histogram.percentile_us(0.95) == 12'000);
  REQUIRE(histogram.percentile_us(0.90, 10) == 12'000);
  REQUIRE(std::isinf(histogram.percentile_us(0.95, 10)));
  REQUIRE(std::isinf(Histogram().percentile_us(0.5, 1)));
  REQUIRE(std::isnan(Histogram().percentile_us(0.5)));
}

TEST_CASE("histogram: mean and counts above a value are exact", "[load][histogram]") {
  const Histogram histogram = of({100, 200, 300, 400});
  REQUIRE(histogram.mean_us() == 250);
  REQUIRE(histogram.count_above(200) == 2);
  REQUIRE(histogram.count_above(400) == 0);
  REQUIRE(histogram.count_above(-1) == 4);
}

TEST_CASE("histogram: damaged sparse pairs are refused", "[load][histogram]") {
  const auto refused = [](auto change) {
    Histogram::Sparse sparse = of({5, 10, 10, 20}).sparse();
    change(sparse);
    return !Histogram::from_sparse(sparse).has_value();
  };
  REQUIRE_FALSE(refused([](Histogram::Sparse&) {}));
  REQUIRE(refused([](Histogram::Sparse& s) { s.pairs[0].slot = Histogram::kSlots; }));
  REQUIRE(refused([](Histogram::Sparse& s) { s.pairs[1].slot = s.pairs[0].slot; }));
  REQUIRE(refused([](Histogram::Sparse& s) { s.pairs[1].count = 0; }));
  REQUIRE(refused([](Histogram::Sparse& s) { s.max_us = 15; }));
  REQUIRE(refused([](Histogram::Sparse& s) { s.min_us = 10; }));
  REQUIRE(refused([](Histogram::Sparse& s) { s.negatives = 5; }));
}

#include "load/publish_work.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

namespace {

using rt::ArchiveTimeline;
using rt::PublishSpec;
using rt::PublishWork;
using namespace std::chrono_literals;

PublishSpec at_rate(double per_s) {
  PublishSpec spec;
  spec.rate = {{0s, per_s, 0s}};
  return spec;
}

}  // namespace

TEST_CASE("publish work: entries share the topics out, so that none has two producers",
          "[load][publish]") {
  for (std::size_t entry = 0; entry < 3; ++entry) {
    const PublishWork work(at_rate(100), 10, 7, entry, 3);
    for (std::uint64_t n = 0; n < 200; ++n) {
      CHECK(work.topic(n) % 3 == entry);
      CHECK(work.topic(n) < 10);
    }
  }
}

TEST_CASE("publish work: lognormal sizes have the median and 99th percentile asked for",
          "[load][publish]") {
  PublishSpec spec = at_rate(100);
  spec.size = {rt::SizeSpec::Dist::lognormal, 256, 4096};
  const PublishWork work(spec, 1, 3);
  std::vector<std::uint32_t> sizes;
  for (std::uint64_t n = 0; n < 20'000; ++n) sizes.push_back(work.bytes(n));
  std::sort(sizes.begin(), sizes.end());
  CHECK(sizes[10'000] == Approx(256).epsilon(0.05));
  CHECK(sizes[19'800] == Approx(4096).epsilon(0.1));
}

TEST_CASE("publish work: uniform sizes stay within their bounds and reach both",
          "[load][publish]") {
  PublishSpec spec = at_rate(100);
  spec.size = {rt::SizeSpec::Dist::uniform, 100, 103};
  const PublishWork work(spec, 1, 3);
  std::map<std::uint32_t, int> seen;
  for (std::uint64_t n = 0; n < 1'000; ++n) ++seen[work.bytes(n)];
  CHECK(seen.size() == 4);
  CHECK(seen.begin()->first == 100);
  CHECK(seen.rbegin()->first == 103);
}

TEST_CASE("publish work: a burst is due all at once, and the rate holds", "[load][publish]") {
  PublishSpec spec = at_rate(100);
  spec.arrival = rt::Arrival::burst;
  spec.burst = 50;
  const PublishWork work(spec, 1, 3);
  CHECK(work.due(0) == work.due(49));
  CHECK(work.due(50) - work.due(49) == 500ms);
}

TEST_CASE("publish work: a recording gives instants, topics and sizes, at its speed",
          "[load][publish]") {
  PublishSpec spec;
  spec.archive = "inc.rtz";
  spec.archive_speed = 2;
  auto recording = std::make_shared<ArchiveTimeline>();
  recording->events = {{0, 0, 100}, {1'000'000, 1, 200}, {1'000'000, 7, 300}};
  const PublishWork work(spec, 4, 3, 0, 1, recording);
  CHECK(work.due(0) == 0s);
  CHECK(work.due(1) == 500ms);
  CHECK(work.due(2) == 500ms);
  CHECK(work.due(3) == rt::Duration::max());
  CHECK(work.topic(1) == 1);
  CHECK(work.topic(2) == 3);
  CHECK(work.bytes(2) == 300);
}

TEST_CASE("payload: entropy fills a share with random letters, and the size holds",
          "[load][payload]") {
  std::string text;
  rt::append_payload(text, {1, 2, 3, 0}, 400, {0.5, 9});
  CHECK(text.size() == 400);
  const auto filler = static_cast<std::size_t>(std::count(text.begin(), text.end(), 'x'));
  CHECK(filler > 150);
  CHECK(filler < 190);
  const auto payload = rt::find_payload(text);
  REQUIRE(payload);
  CHECK(payload->sequence == 3);
}

// The target's own word on what it uses.
#include "rtbench/target_metrics.h"

#include <catch2/catch.hpp>

#include "integration/patience.h"
#include "rtbench/page_server.h"

using rt::rtbench::Page;
using rt::rtbench::PageServer;
using rt::rtbench::TargetMetrics;

namespace {

std::unique_ptr<PageServer> serve(Page page, const rt::Clock& clock) {
  auto pages = PageServer::start(
      "127.0.0.1:0", [page](const rt::http1::RequestHead&) { return page; }, clock);
  REQUIRE(pages);
  return std::move(*pages);
}

std::string page_of(int memory, int seconds) {
  return "process_resident_memory_bytes " + std::to_string(memory) +
         "\nprocess_cpu_seconds_total " + std::to_string(seconds) + "\n";
}

}  // namespace

TEST_CASE("target metrics: the page is read anew, each figure with its instant",
          "[target_metrics]") {
  const rt::SystemClock clock;
  std::atomic<int> reads{0};
  auto pages = PageServer::start(
      "127.0.0.1:0",
      [&](const rt::http1::RequestHead&) {
        return Page{"200 OK", "text/plain", page_of(1'000, ++reads)};
      },
      clock);
  REQUIRE(pages);
  const auto metrics = TargetMetrics::start((*pages)->url() + "metrics", clock);
  REQUIRE(metrics);
  const auto first = (*metrics)->latest();
  REQUIRE(first);
  CHECK(first->use.rss_bytes == 1'000);
  CHECK(first->use.cpu_ns == 1'000'000'000);
  REQUIRE(rt::test::eventually(std::chrono::seconds(20), [&] {
    return (*metrics)->latest() && (*metrics)->latest()->use.cpu_ns >= 2'000'000'000;
  }));
  CHECK((*metrics)->latest()->at > first->at);
}

TEST_CASE("target metrics: a page that is no such page ends the run before it begins",
          "[target_metrics]") {
  const rt::SystemClock clock;
  const auto error_of = [&](const std::string& url) {
    const auto metrics = TargetMetrics::start(url, clock);
    REQUIRE_FALSE(metrics);
    CHECK_THAT(metrics.error().text, Catch::Contains("target.metrics_url http://"));
    return metrics.error();
  };
  const auto missing = serve({"404 Not Found", "text/plain", "no\n"}, clock);
  CHECK(error_of(missing->url()).code == rt::Code::refused);
  const auto other = serve({"200 OK", "text/plain", "up 1\n"}, clock);
  CHECK_THAT(error_of(other->url()).text, Catch::Contains("process_resident_memory_bytes"));
  std::string gone;
  gone = serve({}, clock)->url();
  CHECK(error_of(gone).code == rt::Code::unreachable);
}

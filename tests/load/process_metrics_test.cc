#include "load/process_metrics.h"

#include <catch2/catch.hpp>
#include <string>

using rt::parse_process_metrics;

namespace {

const std::string kMemory = "process_resident_memory_bytes 1.5e+07\n";
const std::string kTime = "process_cpu_seconds_total 2.25\n";

}  // namespace

TEST_CASE("process metrics: memory and time stand among others, in any order",
          "[process_metrics]") {
  const std::string page = "# HELP process_cpu_seconds_total Total.\n# TYPE x counter\nup 1\n" +
                           kTime + "process_resident_memory_bytes_max 99\n" + kMemory + "other 7";
  const auto use = parse_process_metrics(page);
  REQUIRE(use);
  CHECK(use->rss_bytes == 15'000'000);
  CHECK(use->cpu_ns == 2'250'000'000);
}

TEST_CASE("process metrics: a server of several processes counts as one", "[process_metrics]") {
  const auto use = parse_process_metrics(
      "process_resident_memory_bytes{pid=\"1\",note=\"a } b\"} 100 1700000000000\n"
      "process_resident_memory_bytes{pid=\"2\"}\t50\n" +
      kTime + kTime);
  REQUIRE(use);
  CHECK(use->rss_bytes == 150);
  CHECK(use->cpu_ns == 4'500'000'000);
}

TEST_CASE("process metrics: a page without one of them, or with no number, says nothing",
          "[process_metrics]") {
  for (const std::string& page :
       {std::string(), kMemory, kTime, kMemory + "process_cpu_seconds_total\n",
        kMemory + "process_cpu_seconds_total NaN\n", kMemory + "process_cpu_seconds_total -1\n",
        kMemory + "process_cpu_seconds_total 1e30\n",
        kMemory + "process_cpu_seconds_total{a=\"b\" 1\n",
        kMemory + "process_cpu_seconds_total_x 1\n", kMemory + "process_cpu_seconds_total x\n",
        std::string("<html>")}) {
    CAPTURE(page);
    CHECK_FALSE(parse_process_metrics(page));
  }
}

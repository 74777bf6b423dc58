#include "load/selftest.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "io/signals.h"
#include "load/figures.h"
#include "rtbench/verbs.h"

namespace rt::rtbench {
namespace {

struct SelftestFlags {
  std::string duration = "3s";
  bool json = false;
};

std::string text_of(const Floor& floor) {
  return fmt::format(
      "floor      p50 {}  p95 {}  p99 {}   this tool against a server that does nothing\n"
      "rate       {} deliveries a second at most, 1 event to 100 subscribers\n"
      "timer      events are sent up to {} after their instant (p99)\n"
      "clock      {}, {:.0f} ns a reading\n",
      ms_text(floor.p50_us), ms_text(floor.p95_us), ms_text(floor.p99_us),
      format_count(static_cast<std::uint64_t>(floor.events_per_s)), ms_text(floor.timer_slop_us),
      floor.clock_source.empty() ? "unknown source" : floor.clock_source, floor.clock_read_ns);
}

std::string json_of(const Floor& floor) {
  const nlohmann::ordered_json out = {{"p50", floor.p50_us / 1'000},
                                      {"p95", floor.p95_us / 1'000},
                                      {"p99", floor.p99_us / 1'000},
                                      {"events_per_s", floor.events_per_s},
                                      {"timer_slop", floor.timer_slop_us / 1'000},
                                      {"clock_source", floor.clock_source},
                                      {"clock_read_ns", floor.clock_read_ns}};
  return out.dump(2) + "\n";
}

Result<int> selftest(const SelftestFlags& flags) {
  io::StopSignals signals = RT_TRY(io::StopSignals::create());
  SelftestOptions options;
  options.latency = RT_TRY(parse_duration(flags.duration));
  options.throughput = options.latency;
  options.pause = [&](std::chrono::milliseconds time) {
    return signals.wait(static_cast<int>(time.count()));
  };
  const Floor floor = RT_TRY(measure_floor(options, SystemClock()));
  std::fputs((flags.json ? json_of(floor) : text_of(floor)).c_str(), stdout);
  return 0;
}

}  // namespace

void add_selftest(cli::Tool& tool) {
  auto flags = std::make_shared<SelftestFlags>();
  CLI::App* app =
      tool.verb("selftest", "Measure the floor of this machine: this tool against a null server",
                [flags] { return selftest(*flags); });
  app->add_option("--duration", flags->duration, "Of each of the two parts: latency, then rate")
      ->type_name("TIME")
      ->capture_default_str();
  app->add_flag("--json", flags->json, "Print JSON; times in milliseconds");
  cli::Tool::examples(app, "  rtbench selftest\n  rtbench selftest --duration 10s --json");
}

}  // namespace rt::rtbench

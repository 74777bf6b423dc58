#include "load/selftest.h"

#include <fmt/format.h>

#include <fstream>
#include <memory>

#include "load/engine.h"
#include "load/null_server.h"

namespace rt {
namespace {

struct Part {
  unsigned connections;
  unsigned topics;
  const char* rate;
  unsigned in_flight;
  Duration hold;
};

// 200 subscribers with a topic each: every event wakes one, as a row's change does.
constexpr unsigned kSubscribers = 200;
// One topic with 100 subscribers, and few enough events under way that they wait in sockets.
constexpr unsigned kFanOut = 100;
constexpr unsigned kInFlight = 8;

Result<Outcome> run_part(const Part& part, const SelftestOptions& options, const Clock& clock) {
  const std::unique_ptr<NullServer> server = RT_TRY(NullServer::open(clock));
  const std::string url = fmt::format("http://127.0.0.1:{}/{{topic}}", server->port());
  const std::string text = fmt::format(
      R"({{"name": "selftest", "seed": 1,
        "target": {{"preset": "topics", "url": "{0}", "publish_url": "{0}"}},
        "phases": [
          {{"name": "ramp", "connections": {{"to": {1}, "rate": "10k/s"}}}},
          {{"name": "main", "hold": "{2}ms", "measure": true}},
          {{"name": "drain", "hold": "1s"}}],
        "subscriptions": {{"topics": {{"count": {3}, "name": "{{n}}"}}}},
        "publish": [{{"id": "null", "producer": {{"type": "http-post"}}, "rate": "{4}",
                     "max_in_flight": {5}, "topic": {{"dist": "round_robin"}}}}]}})",
      url, part.connections,
      std::chrono::duration_cast<std::chrono::milliseconds>(part.hold).count(), part.topics,
      part.rate, part.in_flight);
  const Scenario scenario = RT_TRY(parse_scenario(text, "selftest"));
  EngineParts parts;
  parts.producer = server.get();
  parts.pause = options.pause;
  Outcome outcome = RT_TRY(run_scenario(scenario, parts, clock));
  if (outcome.interrupted_by != 0) return fail(Code::cancelled, "the selftest was interrupted");
  if (outcome.connections.held != part.connections || outcome.integrity.lost != 0) {
    return fail(Code::invalid,
                fmt::format("the selftest held {} of {} streams and lost {} events",
                            outcome.connections.held, part.connections, outcome.integrity.lost),
                outcome.connections.first_failure);
  }
  return outcome;
}

double clock_read_ns(const Clock& clock) {
  constexpr int kReads = 10'000;
  const Instant begin = clock.now();
  for (int i = 1; i < kReads; ++i) (void)clock.now();
  return static_cast<double>((clock.now() - begin).count()) / kReads;
}

std::string clock_source() {
  std::ifstream file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  std::string name;
  std::getline(file, name);
  return name;
}

}  // namespace

Result<Floor> measure_floor(const SelftestOptions& options, const Clock& clock) {
  Floor floor;
  floor.clock_source = clock_source();
  floor.clock_read_ns = clock_read_ns(clock);
  const Outcome selective = RT_TRY(
      run_part({kSubscribers, kSubscribers, "1k/s", 10'000, options.latency}, options, clock));
  const PhaseOutcome measured = selective.measured();
  floor.p50_us = measured.delivery.percentile_us(0.5);
  floor.p95_us = measured.delivery.percentile_us(0.95);
  floor.p99_us = measured.delivery.percentile_us(0.99);
  floor.timer_slop_us = measured.late.percentile_us(0.99);
  const Outcome broadcast =
      RT_TRY(run_part({kFanOut, 1, "1M/s", kInFlight, options.throughput}, options, clock));
  const PhaseOutcome flood = broadcast.measured();
  floor.events_per_s = static_cast<double>(flood.received) / flood.duration_s;
  return floor;
}

}  // namespace rt

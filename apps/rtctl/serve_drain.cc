#include "rtctl/serve_drain.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/units.h"

namespace rt::rtctl {

void declare_drain(CLI::App* verb, DrainFlags& flags) {
  verb->add_option("--drain", flags.limit,
                   "On SIGTERM: time to deliver what was accepted; a second one ends at once")
      ->type_name("TIME")
      ->capture_default_str();
}

Result<Duration> drain_limit(const DrainFlags& flags) {
  const Duration limit = RT_TRY(parse_duration(flags.limit));
  constexpr auto kMost = std::chrono::minutes(10);  // whoever stops it has lost patience long ago
  if (limit <= kMost) return limit;
  return fail(Code::usage, "--drain must be at most 10m");
}

void await_drain(server::Server& server, Instant begun, Duration limit, ServeSignals& signals,
                 const Clock& clock) {
  constexpr int kLookMs = 5;
  // The server keeps to the limit by itself; this is for a thread of it that hangs in the kernel.
  constexpr auto kGrace = std::chrono::seconds(1);
  Instant end = begun + limit + kGrace;
  while (!server.is_drained() && clock.now() < end) {
    if (!signals.wait(kLookMs, server)) continue;
    server.begin_drain(Duration::zero());
    end = clock.now() + kGrace;
  }
  const server::DrainReport report = server.drain_report();
  const double took_s = std::chrono::duration<double>(clock.now() - begun).count();
  const std::string text = fmt::format("took_s={:.3f} {}", took_s, report.text());
  if (server.is_drained() && report.is_complete()) {
    log::info("drained", text);
  } else {
    log::warn("not everything was drained", text);
  }
}

}  // namespace rt::rtctl

// The gates that ask: was the load there, what came of it, and who fell short?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"
#include "load/figures.h"
#include "load/gate_checks.h"

namespace rt {
namespace {

constexpr double kMostErrors = 0.001;  // share of connections or publishes that may fail
constexpr double kLeastLoad = 0.99;
constexpr double kMostBusy = 0.85;
constexpr double kMostSteal = 0.05;

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// "refused 12, reset 3": what went wrong, most useful first.
std::string failures_text(const ConnectionCounts& counts) {
  std::string text;
  for (std::size_t i = 0; i < kConnectFailures; ++i) {
    if (counts.failed[i] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ",
                        connect_failure_name(static_cast<ConnectFailure>(i)), counts.failed[i]);
  }
  return text;
}

}  // namespace

GateResult check_client_saturation(const Evidence& e) {
  const ClientUse& client = e.outcome.client;
  const double lag = client.loop_lag.percentile_us(0.99);
  const double most_lag = 0.1 * e.threshold_us;
  GateResult result = gate_result(
      fmt::format("busy {}, loop lag p99 {}, throttled {:.1f} ms, steal {}",
                  percent_text(client.busy_max), ms_text(lag),
                  static_cast<double>(client.throttled_us) / 1000, percent_text(client.steal)),
      fmt::format("busy {}, loop lag {}, throttled 0, steal {}", percent_text(kMostBusy),
                  ms_text(most_lag), percent_text(kMostSteal)));
  const auto invalid = [&](std::string hint) {
    return condemn(result, GateVerdict::invalid, kExitInvalid, std::move(hint));
  };
  if (client.throttled_us > 0)
    return invalid("this tool was throttled by its cgroup's processor quota");
  if (client.busy_max > kMostBusy) {
    return invalid(
        "this tool had no processor to spare: fewer connections, a lower rate or more cores");
  }
  if (lag > most_lag) return invalid("this tool ran late: its own delay is in the figures");
  if (client.steal > kMostSteal)
    return invalid("the hypervisor took processor time from this machine");
  if (std::isnan(lag)) {
    unmeasured(result, "no loop lag was recorded");
  }
  return result;
}

GateResult check_wrong_type(const Evidence& e) {
  const ConnectionCounts& c = e.outcome.connections;
  const auto of = [&](ConnectFailure failure) {
    return c.failed[static_cast<std::size_t>(failure)];
  };
  const std::uint64_t wrong = of(ConnectFailure::content_type) + of(ConnectFailure::protocol) +
                              e.outcome.integrity.stream_errors;
  GateResult result =
      gate_result(fmt::format("wrong content type {}, not HTTP {}, broken events {}",
                              of(ConnectFailure::content_type), of(ConnectFailure::protocol),
                              e.outcome.integrity.stream_errors),
                  "0");
  if (wrong == 0) return result;
  return condemn(
      result, GateVerdict::fail, kExitRefused,
      "the target does not answer with text/event-stream; check the URL: " + c.first_failure);
}

GateResult check_connections(const Evidence& e) {
  const ConnectionCounts& c = e.outcome.connections;
  const std::uint64_t lost = c.failed_by(Blame::target) + c.failed_by(Blame::network) + c.dropped;
  std::string measured = fmt::format("{} of {} held", format_count(c.held), format_count(c.asked));
  if (const std::string why = failures_text(c); !why.empty()) measured += " (" + why + ")";
  if (c.dropped > 0) measured += fmt::format(", dropped {}", c.dropped);
  if (c.not_tried > 0) measured += fmt::format(", not tried {}", c.not_tried);
  GateResult result = gate_result(std::move(measured), percent_text(1 - kMostErrors));
  if (c.asked == 0)
    return condemn(result, GateVerdict::invalid, kExitInvalid, "no connection was asked for");
  if (share(lost, c.asked) > kMostErrors) {
    const auto of = [&](ConnectFailure failure) {
      return c.failed[static_cast<std::size_t>(failure)];
    };
    const bool refused = of(ConnectFailure::status) + of(ConnectFailure::content_type) +
                             of(ConnectFailure::protocol) + of(ConnectFailure::tls) >
                         0;
    const int none_held = refused ? kExitRefused : kExitUnreachable;
    return condemn(result, GateVerdict::fail, c.held == 0 ? none_held : kExitNegative,
                   "the target or the way to it lost connections: " + c.first_failure);
  }
  if (share(c.not_tried, c.asked) > kMostErrors) {
    return condemn(result, GateVerdict::invalid, kExitInvalid,
                   "the ramp did not finish in its time: raise \"rate\" or \"max\" of its phase");
  }
  return result;
}

GateResult check_local_limits(const Evidence& e) {
  const ConnectionCounts& c = e.outcome.connections;
  const auto of = [&](ConnectFailure failure) {
    return c.failed[static_cast<std::size_t>(failure)];
  };
  GateResult result =
      gate_result(fmt::format("descriptors {}, ports {}, memory {}, permission {}",
                              of(ConnectFailure::descriptors), of(ConnectFailure::ports),
                              of(ConnectFailure::memory), of(ConnectFailure::permission)),
                  "0");
  const std::uint64_t overflows = e.outcome.kernel.listen_overflows;
  if (overflows > 0) result.measured += fmt::format(", accept queue overflows {}", overflows);
  if (c.failed_by(Blame::client) == 0) {
    if (overflows == 0 || !e.outcome.target.same_host) return result;
    result.verdict = GateVerdict::warn;
    result.hint =
        "the target's accept queue was full and connections had to try again: raise its backlog "
        "and net.core.somaxconn, or ramp slower";
    return result;
  }
  std::string fix = "free memory, or fewer connections";
  if (of(ConnectFailure::permission) > 0)
    fix = "a firewall or sandbox here forbids these connections";
  if (of(ConnectFailure::ports) > 0) {
    fix = "sysctl -w net.ipv4.ip_local_port_range='1024 65535', or more source addresses";
  }
  if (of(ConnectFailure::descriptors) > 0) {
    fix = fmt::format("ulimit -n {}", 2 * c.asked);
  }
  return condemn(result, GateVerdict::invalid, kExitLimit,
                 "this machine, not the target, said no: " + fix);
}

GateResult check_offered_load(const Evidence& e) {
  const PhaseOutcome& m = e.measured;
  GateResult result =
      gate_result(fmt::format("sent {} of {} ({})", m.sent, m.offered,
                              percent_text(m.offered == 0 ? NAN : share(m.sent, m.offered))),
                  percent_text(kLeastLoad));
  if (!e.outcome.publishes) {
    unmeasured(result, "the scenario publishes nothing");
    return result;
  }
  if (m.offered == 0) {
    return condemn(result, GateVerdict::invalid, kExitInvalid,
                   "no event was due in a measured phase");
  }
  if (share(m.sent, m.offered) >= kLeastLoad) return result;
  if (2 * m.skipped_by_target >= m.skipped) {
    return condemn(result, GateVerdict::fail, kExitNegative,
                   "the target did not take the load: it had not answered when more was due");
  }
  return condemn(result, GateVerdict::invalid, kExitInvalid,
                 "this tool did not offer the load: lower the rate or give it more processor");
}

GateResult check_publish_errors(const Evidence& e) {
  const PhaseOutcome& m = e.measured;
  const std::uint64_t unanswered = m.sent - std::min(m.sent, m.acknowledged + m.publish_failed);
  GateResult result = gate_result(
      fmt::format("failed {}, unanswered {} of {}{}", m.publish_failed, unanswered, m.sent,
                  m.retried == 0 ? "" : fmt::format("; sent again {}", m.retried)),
      percent_text(kMostErrors));
  if (m.sent == 0) {
    unmeasured(result, "nothing was published");
    return result;
  }
  if (share(m.publish_failed + unanswered, m.sent) <= kMostErrors) return result;
  return condemn(result, GateVerdict::fail, kExitNegative,
                 "the database or server refused what was published; the notes say how");
}

GateResult check_co_location(const Evidence& e) {
  const bool shared = e.outcome.target.same_host;
  GateResult result = gate_result(shared ? "target on this machine" : "target on another machine",
                                  "target on another machine");
  if (shared && e.scenario.strict_gates) {
    return condemn(result, GateVerdict::invalid, kExitInvalid,
                   "strict gates: client and target share cores, so this says little about either");
  }
  if (shared) {
    result.verdict = GateVerdict::warn;
    result.hint = "client and target share cores and loopback: real networks add to these figures";
  }
  return result;
}

GateResult check_resume(const Evidence& e) {
  const ResumeCounts& r = e.outcome.resume;
  GateResult result =
      gate_result(fmt::format("reconnects {}, resumed {}, gaps signalled {}, silent gaps {}",
                              r.attempts, r.resumed, r.gaps_signalled, r.gaps_silent),
                  "silent gaps 0");
  if (r.gaps_silent == 0) return result;
  if (!e.scenario.integrity.expect_gap_signal) {
    result.verdict = GateVerdict::warn;
    result.hint = "the target left events out without a word, as the scenario lets it";
    return result;
  }
  return condemn(result, GateVerdict::fail, kExitIntegrity,
                 "after a reconnect events were missing and the target did not say so");
}

JudgedIntegrity judged_integrity(const Scenario& scenario, const Outcome& outcome) {
  const IntegrityCounts& i = outcome.integrity;
  const IntegritySpec& spec = scenario.integrity;
  const std::uint64_t forgiven = spec.allow_resent ? std::min(i.duplicate, i.resent) : 0;
  return {spec.loss ? i.lost : 0,
          spec.duplicate ? i.duplicate - forgiven : 0,
          spec.order ? i.reorder : 0,
          i.corrupt.value_or(0),
          i.unasked,
          spec.loss ? i.deaf : 0,
          forgiven};
}

GateResult check_integrity(const Evidence& e) {
  const IntegrityCounts& i = e.outcome.integrity;
  const IntegritySpec& spec = e.scenario.integrity;
  GateResult result = gate_result(
      fmt::format("lost {}, duplicate {}, reorder {}", i.lost, i.duplicate, i.reorder), "0");
  if (i.corrupt) result.measured += fmt::format(", corrupt {}", *i.corrupt);
  if (i.unasked != 0) result.measured += fmt::format(", unasked {}", i.unasked);
  if (i.deaf != 0) result.measured += fmt::format(", deaf {}", i.deaf);
  const JudgedIntegrity judged = judged_integrity(e.scenario, e.outcome);
  if (judged.forgiven != 0) {
    result.measured += fmt::format(" ({} sent again by a resume)", judged.forgiven);
  }
  std::vector<std::string_view> left_out;
  if (!spec.loss) left_out.emplace_back("loss");
  if (!spec.duplicate) left_out.emplace_back("duplicate");
  if (!spec.order) left_out.emplace_back("order");
  if (!left_out.empty()) {
    result.measured += fmt::format("; not judged: {}", fmt::join(left_out, ", "));
  }
  if (judged.sum() == 0) {
    if (!left_out.empty()) result.verdict = GateVerdict::warn;
    return result;
  }
  const std::string& first = judged.corrupt > 0     ? i.first_corrupt
                             : judged.lost > 0      ? i.first_lost
                             : judged.duplicate > 0 ? i.first_duplicate
                             : judged.reorder > 0   ? i.first_reorder
                             : judged.unasked > 0   ? i.first_unasked
                                                    : i.first_deaf;
  return condemn(result, GateVerdict::fail, kExitIntegrity, "first: " + first);
}

}  // namespace rt

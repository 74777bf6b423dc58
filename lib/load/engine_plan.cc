// What an engine decides before anything starts: where to connect, and with how many shards.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "base/units.h"
#include "io/descriptors.h"
#include "io/socket.h"
#include "load/engine_run.h"
#include "load/source_addresses.h"
#include "load/subscriptions.h"

namespace rt {
namespace {

constexpr int kProbeTimeout_ms = 5'000;

// One connection, closed at once: a target that is not there is an error now, not a report later.
Result<void> probe(const io::Address& address) {
  const Fd socket = RT_TRY(io::connect_to(address, nullptr));
  pollfd writable{socket.get(), POLLOUT, 0};
  const int ready = ::poll(&writable, 1, kProbeTimeout_ms);
  const std::string attempt = fmt::format("cannot connect to {}", address.text());
  if (ready == 0) return fail(Code::unreachable, attempt + ": no answer in 5 s");
  if (const int error = io::connect_error(socket.get()); error != 0) {
    return fail(os_error(attempt, error, Code::unreachable));
  }
  return {};
}

Result<io::Address> find_target(const StreamTarget& target) {
  const std::vector<io::Address> found = RT_TRY(io::resolve(target.host, target.port));
  // IPv4 first: on loopback it has as many source addresses as anybody needs.
  for (const io::Address& address : found) {
    if (address.storage.ss_family == AF_INET) return address;
  }
  if (found.empty()) {
    return fail(Code::unreachable, fmt::format("cannot resolve \"{}\"", target.host));
  }
  return found.front();
}

// The steepest a ramp gets.
double connects_per_s(const Scenario& scenario) {
  double most = 0;
  for (const PhaseSpec& phase : scenario.phases) {
    if (phase.connections) most = std::max(most, phase.connections->rate_per_s);
  }
  return most;
}

LoadNeeds needs_of(const Scenario& scenario, const io::Address& address) {
  LoadNeeds needs;
  needs.subscribers = scenario.connections();
  needs.streams = scenario.target.request.streams;
  needs.tls = scenario.target.url.starts_with("https://");
  needs.connects_per_s = connects_per_s(scenario);
  needs.target_here = address.is_loopback();
  const SourcesSpec& sources = scenario.sources;
  needs.source_addresses =
      sources.addresses.empty() ? count_source_addresses(address) : sources.addresses.size();
  needs.shards = sources.shards;
  needs.ports = sources.ports;
  needs.topics = scenario.subscriptions.topics;
  needs.phases = scenario.phases.size();
  needs.more_bytes = WorstCases::bytes_for(scenario);
  const std::size_t with_topics = Shard::connection_bytes(scenario.subscriptions.places());
  needs.more_bytes += needs.subscribers * (with_topics - Shard::connection_bytes());
  return needs;
}

// New rows have no id yet that a subscriber could ask for: a topic is their tag, and the rows that
// are there already are left out.
void follow_inserts(const Scenario& scenario, ShardPlan& shards) {
  if (scenario.publish.empty()) return;
  if (scenario.publish.front().producer != ProducerKind::pg_insert) return;
  shards.sends_state = false;
  std::string& path = shards.target.path;
  if (path.find("{topic}") != std::string::npos) return;  // the scenario says how to ask
  path += path.find('?') == std::string::npos ? '?' : '&';
  path += "filter=%7B%22tags%22%3A%5B%22{topic}%22%5D%7D&initial=none";
  shards.topic_separator = R"(",")";
}

Result<void> choose_sources(const SourcesSpec& asked, const LoadLayout& layout, ShardPlan& shards) {
  shards.ports = asked.ports;
  if (asked.addresses.empty()) {
    shards.sources = source_addresses(shards.address, layout.sources);
  }
  for (const std::string& text : asked.addresses) {
    shards.sources.push_back(RT_TRY(io::parse_address(text + ":0")));
    if (shards.sources.back().is_ipv6() != shards.address.is_ipv6()) {
      return fail(Code::usage,
                  fmt::format("sources.addresses: no connection leads from {} to {}", text,
                              shards.address.text()),
                  "name addresses of the target's kind, or \"auto\"");
    }
  }
  return {};
}

Result<void> choose_transport(const RequestSpec& request, ShardPlan& shards) {
  shards.streams = request.streams;
  shards.gzip = request.gzip;
  shards.http2 = request.http2;
  if (!shards.target.tls) return {};
  io::TlsTrust trust;
  trust.authorities = request.authorities;
  trust.verify = request.verify;
  trust.offer_http2 = request.http2;
  trust.offer_http1 = !request.http2;
  shards.tls = RT_TRY(io::TlsContext::trust(trust));
  return {};
}

}  // namespace

Result<EnginePlan> make_engine_plan(const Scenario& scenario, const EngineParts& parts,
                                    const Clock& clock) {
  if (scenario.phases.size() > kPhasesMax) {
    return fail(Code::usage, fmt::format("{} phases; at most {} are possible",
                                         scenario.phases.size(), kPhasesMax));
  }
  EnginePlan plan;
  ShardPlan& shards = plan.shards;
  shards.target = RT_TRY(StreamTarget::parse(scenario.target.url));
  shards.address = RT_TRY(find_target(shards.target));
  shards.connections = scenario.connections();
  plan.descriptor_limit = io::raise_descriptor_limit();
  const LoadPlan load =
      plan_load(needs_of(scenario, shards.address), read_machine(), parts.scenario);
  if (const PlanItem* const item = load.first_shortage()) {
    return fail(Code::limit, shortage_text(*item), item->fix);
  }
  shards.shards = load.layout.shards;
  RT_CHECKED(choose_sources(scenario.sources, load.layout, shards));
  RT_CHECKED(choose_transport(scenario.target.request, shards));
  RT_CHECKED(probe(shards.address));
  shards.run_filter = scenario.target.preset == Preset::runs;
  shards.first_is_state = scenario.target.preset == Preset::jobs;
  shards.sends_state = scenario.target.preset == Preset::runs || shards.first_is_state;
  follow_inserts(scenario, shards);
  shards.churn = scenario.churn;
  shards.cohorts = scenario.cohorts;
  shards.seed = scenario.seed;
  // Tells this run's events from those of an earlier one in the same table.
  shards.run = static_cast<std::uint32_t>(unix_us(clock.wall()) / 1'000) | 1U;
  shards.checks_content = scenario.integrity.content;
  shards.phases = scenario.phases.size();
  for (const PhaseSpec& phase : scenario.phases) {
    shards.ramps.emplace_back(phase.connections.value_or(ConnectionGoal{}), scenario.seed,
                              phase.name);
  }
  shards.reconnect = scenario.reconnect;
  const Subscriptions subscriptions(scenario.subscriptions, scenario.seed);
  shards.topics_each = subscriptions.most();
  shards.topic_of = [subscriptions](std::uint64_t subscription) {
    return subscriptions.topic_of(subscription);
  };
  shards.topic_name = [&scenario](std::uint32_t topic) {
    return scenario.subscriptions.topic_name(topic);
  };
  plan.watchers.assign(scenario.subscriptions.topics, 0);
  for (std::uint64_t s = 0; s < shards.connections * shards.topics_each; ++s) {
    const std::uint32_t topic = shards.topic_of(s);
    if (topic != Subscriptions::kNone) ++plan.watchers[topic];
  }
  if (const auto& faults = scenario.faults;
      std::any_of(faults.begin(), faults.end(), [](const auto& f) { return f.needs_proxy(); })) {
    plan.proxy = RT_TRY(FaultProxy::start(shards.address, !shards.target.tls && !shards.http2,
                                          faults, scenario.seed, shards.connections, clock));
    shards.address = plan.proxy->address();
  }
  if (!scenario.target.pid_file.empty()) {
    plan.target_pid = RT_TRY(read_pid_file(scenario.target.pid_file));
  }
  if (parts.say && shards.shards > 1) {
    parts.say(fmt::format(
        "holding {} connections in {} threads, each with a descriptor table of its own (limit {})",
        format_count(load.layout.connections), shards.shards, format_count(plan.descriptor_limit)));
  }
  return plan;
}

Result<LoadNeeds> load_needs(const Scenario& scenario) {
  const StreamTarget target = RT_TRY(StreamTarget::parse(scenario.target.url));
  return needs_of(scenario, RT_TRY(find_target(target)));
}

}  // namespace rt

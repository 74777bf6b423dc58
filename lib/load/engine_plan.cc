// What an engine decides before anything starts: where to connect, and with how many shards.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <thread>

#include "base/units.h"
#include "io/descriptors.h"
#include "io/socket.h"
#include "load/engine_run.h"

namespace rt {
namespace {

// Of a descriptor table: standard streams, poller, wakeup, and what libraries may open.
constexpr std::size_t kReserved = 64;
// More sockets in one table gain nothing; several threads share the work on several cores.
constexpr std::uint64_t kPerShardMax = 19'000;
// Below this one thread does it all: a second would only take a core from the target.
constexpr std::uint64_t kWorthAThread = 2'000;
// What the default port range 32768-60999 gives one pair of addresses.
constexpr std::uint64_t kPortsPerPair = 28'232;
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

Result<void> check_ports(const io::Address& address, std::uint64_t connections) {
  const bool many_sources = address.is_loopback() && address.storage.ss_family == AF_INET;
  if (many_sources || connections <= kPortsPerPair) return {};
  return fail(Code::limit,
              fmt::format("{} connections from one address to {} need more than the {} ports there "
                          "are",
                          format_count(connections), address.text(), format_count(kPortsPerPair)),
              "use several machines, or a target on 127.0.0.1, which has many source addresses");
}

}  // namespace

unsigned shards_for(std::uint64_t connections, std::size_t descriptor_limit, unsigned cores) {
  const std::uint64_t room =
      descriptor_limit > 2 * kReserved ? descriptor_limit - kReserved : kReserved;
  const std::uint64_t per_shard = std::min(room, kPerShardMax);
  const std::uint64_t needed = (connections + per_shard - 1) / per_shard;
  const std::uint64_t useful =
      std::min<std::uint64_t>(cores, (connections + kWorthAThread - 1) / kWorthAThread);
  return static_cast<unsigned>(std::max<std::uint64_t>({needed, useful, 1}));
}

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
  RT_CHECKED(check_ports(shards.address, shards.connections));
  RT_CHECKED(probe(shards.address));
  plan.descriptor_limit = io::raise_descriptor_limit();
  shards.shards = shards_for(shards.connections, plan.descriptor_limit,
                             std::max(1U, std::thread::hardware_concurrency()));
  shards.run_filter = scenario.target.preset == Preset::runs;
  shards.first_is_state = scenario.target.preset == Preset::jobs;
  shards.sends_state = scenario.target.preset == Preset::runs || shards.first_is_state;
  shards.churn = scenario.churn;
  shards.cohorts = scenario.cohorts;
  shards.seed = scenario.seed;
  // Tells this run's events from those of an earlier one in the same table.
  shards.run = static_cast<std::uint32_t>(unix_us(clock.wall()) / 1'000) | 1U;
  shards.phases = scenario.phases.size();
  for (const PhaseSpec& phase : scenario.phases) {
    shards.ramps.emplace_back(phase.connections.value_or(ConnectionGoal{}), scenario.seed,
                              phase.name);
  }
  shards.reconnect = scenario.reconnect;
  const TopicChoice choice(scenario.subscriptions.choice, scenario.subscriptions.topics,
                           scenario.seed, "subscriptions");
  shards.topic_of = [choice](std::uint64_t connection) {
    return static_cast<std::uint32_t>(choice.of(connection));
  };
  shards.topic_name = [&scenario](std::uint32_t topic) {
    return scenario.subscriptions.topic_name(topic);
  };
  plan.watchers.assign(scenario.subscriptions.topics, 0);
  for (std::uint64_t k = 0; k < shards.connections; ++k) ++plan.watchers[shards.topic_of(k)];
  if (const auto& faults = scenario.faults;
      std::any_of(faults.begin(), faults.end(), [](const auto& f) { return f.needs_proxy(); })) {
    plan.proxy =
        RT_TRY(FaultProxy::start(shards.address, faults, scenario.seed, shards.connections, clock));
    shards.address = plan.proxy->address();
  }
  if (!scenario.target.pid_file.empty()) {
    plan.target_pid = RT_TRY(read_pid_file(scenario.target.pid_file));
  }
  if (parts.say && shards.shards > 1) {
    parts.say(fmt::format(
        "holding {} connections in {} threads, each with a descriptor table of its own (limit {})",
        format_count(shards.connections), shards.shards, format_count(plan.descriptor_limit)));
  }
  return plan;
}

}  // namespace rt

#include "load/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"

namespace rt {
namespace {

// Of a descriptor table: standard streams, poller, wakeup, and what libraries may open.
constexpr std::uint64_t kReserved = 64;
// More sockets in one table gain nothing; several threads share the work on several cores.
constexpr std::uint64_t kPerShardMax = 19'000;
// Below this one thread does it all: a second would only take a core from the target.
constexpr std::uint64_t kWorthAThread = 2'000;
// A thread has a stack, rings and histograms; beyond so many a descriptor limit is too low to help.
constexpr std::uint64_t kShardsMax = 1'024;
// Where addresses cost nothing, each is used for this share of its ports at most: the kernel looks
// for a free port among every second one first, and takes long when those run out.
constexpr double kPortsUsed = 0.4;

// Measured on Linux 6.18: an established TCP socket with its file, inode and dentry, when idle.
constexpr std::uint64_t kKernelBytesOfSocket = 3'600;
// One subscriber of ours: its slot and its line in the ledger, and what the allocator adds.
constexpr std::uint64_t kBytesOfSubscriber = 160;
// What a stream of HTTP/2 adds to that, on either side.
constexpr std::uint64_t kBytesOfStream = 450;
// A session of HTTP/2 with its header tables; a session of TLS at rest.
constexpr std::uint64_t kBytesOfSession = 12'000;
constexpr std::uint64_t kBytesOfTls = 14'000;
// A thread of ours: rings, histograms, buffers, the stack's pages in use.
constexpr std::uint64_t kBytesOfShard = 2'000'000;
// The target's part of an idle subscriber, when it shares this machine: more than ours takes.
constexpr std::uint64_t kBytesOfTarget = 640;
// A target that does nothing else for so long still loses no connection.
constexpr double kAcceptPause_s = 0.1;

std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) {
  return (a + b - 1) / b;
}

std::uint64_t width(std::uint64_t first, std::uint64_t last) {
  return last >= first ? last - first + 1 : 0;
}

// Of one source address. The kernel bounds a socket's ports only within the system's range.
std::uint64_t ports_of(const LoadNeeds& needs, const Machine& machine) {
  if (!needs.ports.is_set()) return width(machine.port_first, machine.port_last);
  if (!machine.bounds_ports) return 0;
  return width(std::max<std::uint64_t>(machine.port_first, needs.ports.first),
               std::min<std::uint64_t>(machine.port_last, needs.ports.last));
}

// The next round number: a limit that fits exactly is met exactly once.
std::uint64_t roomy(std::uint64_t n) {
  std::uint64_t step = 1'000;
  while (step * 20 < n) step *= 10;
  return ceil_div(n, step) * step;
}

std::string fewer(const std::string& scenario, std::uint64_t connections) {
  return fmt::format("rtbench run {} --set load.connections={}", scenario, connections);
}

PlanItem descriptors_item(const LoadLayout& layout, const Machine& machine) {
  PlanItem item{"descriptors",
                "of one thread's table",
                layout.sockets_of_shard + kReserved,
                machine.descriptors_hard,
                false,
                {}};
  if (item.is_short()) {
    item.fix = fmt::format("sudo prlimit --pid $$ --nofile={0}:{0}",
                           roomy(ceil_div(layout.connections, kShardsMax) + 2 * kReserved));
  }
  return item;
}

PlanItem files_item(const LoadNeeds& needs, const LoadLayout& layout, const Machine& machine) {
  const std::uint64_t ends = needs.target_here ? 2 : 1;
  PlanItem item{"open files",
                "of all processes",
                machine.open_files + ends * layout.connections + layout.shards * kReserved,
                machine.open_files_max,
                false,
                {}};
  if (item.is_short()) item.fix = fmt::format("sudo sysctl -w fs.file-max={}", roomy(item.needs));
  return item;
}

std::string widen_system_ports(std::uint64_t first, std::uint64_t last) {
  return fmt::format("sudo sysctl -w net.ipv4.ip_local_port_range=\"{} {}\"", first, last);
}

// What gives a run with "sources.ports" the ports it needs: that much of its range which the system
// keeps back, or another range.
std::string more_ports(const PlanItem& item, io::PortRange asked, const Machine& machine,
                       const std::string& scenario) {
  if (machine.bounds_ports && item.needs <= width(asked.first, asked.last)) {
    return widen_system_ports(std::min<std::uint64_t>(asked.first, machine.port_first),
                              std::max<std::uint64_t>(asked.last, machine.port_last));
  }
  return fmt::format("rtbench run {} --set sources.ports=auto", scenario);
}

// Within what ports a run with "sources.ports" has to stay, and what comes in between.
std::string bounds_text(io::PortRange asked, const Machine& machine) {
  std::string text = fmt::format("within {}-{}", asked.first, asked.last);
  if (!machine.bounds_ports) {
    text += ", which this kernel cannot keep to: it takes Linux 6.3";
  } else if (asked.first < machine.port_first || asked.last > machine.port_last) {
    text += fmt::format(" and the system's {}-{}", machine.port_first, machine.port_last);
  }
  return text;
}

PlanItem ports_item(const LoadNeeds& needs, const LoadLayout& layout, const Machine& machine,
                    const std::string& scenario) {
  const std::uint64_t ports = ports_of(needs, machine);
  PlanItem item{"ports", "of one source address", layout.sockets_of_source, ports, false, {}};
  if (needs.ports.is_set()) item.what += ", " + bounds_text(needs.ports, machine);
  if (!item.is_short()) return item;
  constexpr std::uint64_t kWidest = 65'535 - 1'024 + 1;
  if (needs.ports.is_set()) {
    item.fix = more_ports(item, needs.ports, machine, scenario);
  } else if (item.needs <= kWidest) {
    item.fix = widen_system_ports(1'024, 65'535);
  } else {
    item.fix = fewer(scenario, ports * layout.sources);
  }
  return item;
}

PlanItem memory_item(const LoadNeeds& needs, const LoadPlan& plan, const Machine& machine,
                     const std::string& scenario) {
  PlanItem item{
      "memory", "of this machine", plan.kernel_bytes + plan.user_bytes, machine.memory_bytes, true,
      {}};
  if (!item.is_short()) return item;
  const double share = static_cast<double>(item.has) / static_cast<double>(item.needs);
  item.fix = fewer(
      scenario, static_cast<std::uint64_t>(share * static_cast<double>(needs.subscribers) * 0.95));
  return item;
}

// One event on its way to every connection takes a page of each socket that waits to be read.
PlanItem tcp_item(const LoadLayout& layout, const Machine& machine) {
  PlanItem item{"TCP memory",
                "in sockets' queues, an event to all",
                layout.connections * machine.page_bytes,
                machine.tcp_pages_max * machine.page_bytes,
                true,
                {}};
  if (item.is_short()) {
    const std::uint64_t pages = roomy(layout.connections);
    item.fix = fmt::format("sudo sysctl -w net.ipv4.tcp_mem=\"{} {} {}\"", pages, pages * 4 / 3,
                           pages * 2);
  }
  return item;
}

PlanItem queue_item(const LoadNeeds& needs, std::uint64_t has, const char* name,
                    const char* setting) {
  PlanItem item{
      name,
      "while the target pauses 100 ms",
      static_cast<std::uint64_t>(std::ceil(needs.connects_per_s / needs.streams * kAcceptPause_s)),
      has,
      false,
      {}};
  if (item.is_short()) item.fix = fmt::format("sudo sysctl -w {}={}", setting, roomy(item.needs));
  return item;
}

PlanItem tracking_item(const LoadLayout& layout, const Machine& machine) {
  PlanItem item{"conntrack",
                "tracked connections",
                machine.tracked + layout.connections,
                *machine.tracked_max,
                false,
                {}};
  if (item.is_short()) {
    item.fix = fmt::format("sudo sysctl -w net.netfilter.nf_conntrack_max={}", roomy(item.needs));
  }
  return item;
}

}  // namespace

unsigned shards_for(std::uint64_t connections, std::uint64_t descriptor_limit, unsigned cores) {
  const std::uint64_t room =
      descriptor_limit > 2 * kReserved ? descriptor_limit - kReserved : kReserved;
  const std::uint64_t per_shard = std::min(room, kPerShardMax);
  const std::uint64_t needed = std::min(ceil_div(connections, per_shard), kShardsMax);
  const std::uint64_t useful = std::min<std::uint64_t>(cores, ceil_div(connections, kWorthAThread));
  return static_cast<unsigned>(std::max<std::uint64_t>({needed, useful, 1}));
}

LoadLayout lay_out(const LoadNeeds& needs, const Machine& machine) {
  LoadLayout layout;
  layout.connections = ceil_div(needs.subscribers, needs.streams);
  layout.shards = needs.shards != 0
                      ? needs.shards
                      : shards_for(layout.connections, machine.descriptors_hard, machine.cores);
  layout.sockets_of_shard = ceil_div(layout.connections, layout.shards);
  const auto easy =
      static_cast<std::uint64_t>(static_cast<double>(ports_of(needs, machine)) * kPortsUsed);
  layout.sources =
      std::clamp<std::uint64_t>(ceil_div(layout.connections, std::max<std::uint64_t>(easy, 1)), 1,
                                std::max<std::uint64_t>(needs.source_addresses, 1));
  layout.sockets_of_source = ceil_div(layout.connections, layout.sources);
  return layout;
}

LoadPlan plan_load(const LoadNeeds& needs, const Machine& machine, const std::string& scenario) {
  LoadPlan plan;
  plan.layout = lay_out(needs, machine);
  const LoadLayout& layout = plan.layout;
  const std::uint64_t ends = needs.target_here ? 2 : 1;
  plan.kernel_bytes = ends * layout.connections * kKernelBytesOfSocket;
  const std::uint64_t of_session =
      (needs.streams > 1 ? kBytesOfSession : 0) + (needs.tls ? kBytesOfTls : 0);
  const std::uint64_t of_stream = needs.streams > 1 ? kBytesOfStream : 0;
  plan.user_bytes = needs.subscribers * (kBytesOfSubscriber + of_stream) +
                    layout.connections * of_session + layout.shards * kBytesOfShard +
                    needs.topics * (needs.phases + 1) * sizeof(std::uint32_t) + needs.more_bytes;
  if (needs.target_here) {
    plan.user_bytes +=
        needs.subscribers * (kBytesOfTarget + of_stream) + layout.connections * of_session;
  }
  plan.items.push_back(descriptors_item(layout, machine));
  plan.items.push_back(files_item(needs, layout, machine));
  plan.items.push_back(ports_item(needs, layout, machine, scenario));
  plan.items.push_back(memory_item(needs, plan, machine, scenario));
  if (machine.tcp_pages_max != 0) plan.items.push_back(tcp_item(layout, machine));
  if (needs.target_here) {  // elsewhere these are the other machine's
    plan.items.push_back(
        queue_item(needs, machine.accept_queue_max, "accept queue", "net.core.somaxconn"));
    plan.items.push_back(
        queue_item(needs, machine.syn_queue_max, "SYN queue", "net.ipv4.tcp_max_syn_backlog"));
  }
  if (machine.tracked_max) plan.items.push_back(tracking_item(layout, machine));
  return plan;
}

const PlanItem* LoadPlan::first_shortage() const {
  const auto found = std::find_if(items.begin(), items.end(),
                                  [](const PlanItem& item) { return item.is_short(); });
  return found == items.end() ? nullptr : &*found;
}

std::string amount_text(const PlanItem& item, std::uint64_t amount) {
  return item.in_bytes ? format_bytes(static_cast<double>(amount)) : format_count(amount);
}

std::string shortage_text(const PlanItem& item) {
  return fmt::format("not enough {} ({}): the run needs {}, this machine has {}", item.name,
                     item.what, amount_text(item, item.needs), amount_text(item, item.has));
}

}  // namespace rt

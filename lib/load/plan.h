// What a run takes against what the machine has, before anything starts: descriptors, ports, source
// addresses, memory, queues of the kernel. Pure arithmetic; any thread. Reading the machine is
// machine.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/socket.h"
#include "load/machine.h"

namespace rt {

// What a scenario and its target ask for.
struct LoadNeeds {
  std::uint64_t subscribers = 0;
  std::uint32_t streams = 1;           // subscribers that share one connection (HTTP/2)
  bool tls = false;                    // of each connection
  double connects_per_s = 0;           // at the steepest point of any ramp
  bool target_here = false;            // on this machine: both ends of each connection are ours
  std::uint64_t source_addresses = 1;  // that connections to the target can begin from, at most
  unsigned shards = 0;                 // that the scenario asks for; 0: as many as it takes
  io::PortRange ports;                 // that connections may leave from
  std::uint64_t topics = 1;
  std::uint64_t phases = 1;
  std::uint64_t more_bytes = 0;  // for several topics a connection, thresholds about the worst one
};

// How connections are laid out over threads and addresses.
struct LoadLayout {
  std::uint64_t connections = 0;  // sockets on our side
  unsigned shards = 1;
  std::uint64_t sockets_of_shard = 0;  // the most any shard holds
  std::uint64_t sources = 1;
  std::uint64_t sockets_of_source = 0;
};
LoadLayout lay_out(const LoadNeeds& needs, const Machine& machine);

struct PlanItem {
  std::string name;
  std::string what;  // of what, in words
  std::uint64_t needs = 0;
  std::uint64_t has = 0;
  bool in_bytes = false;
  std::string fix;  // the command that mends it; empty: there is enough
  bool is_short() const { return needs > has; }
};

struct LoadPlan {
  LoadLayout layout;
  std::uint64_t kernel_bytes = 0;  // of `memory`
  std::uint64_t user_bytes = 0;
  std::vector<PlanItem> items;
  const PlanItem* first_shortage() const;
};

// `scenario`: as the user wrote it, for the commands.
LoadPlan plan_load(const LoadNeeds& needs, const Machine& machine, const std::string& scenario);

// "9.1 GiB" or "400 000".
std::string amount_text(const PlanItem& item, std::uint64_t amount);
// One line for an error message.
std::string shortage_text(const PlanItem& item);

// How many threads hold `connections` when a descriptor table has `descriptor_limit` entries.
unsigned shards_for(std::uint64_t connections, std::uint64_t descriptor_limit, unsigned cores);

}  // namespace rt

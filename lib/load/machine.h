// What this machine and this process may use: read once from /proc, for the arithmetic of plan.h.
// A plain value; any thread.
#pragma once

#include <cstdint>
#include <optional>

namespace rt {

struct Machine {
  unsigned cores = 1;
  std::uint64_t memory_bytes = 0;  // available; what the control group leaves, if that is less
  std::uint64_t page_bytes = 4096;
  std::uint64_t descriptors_hard = 0;  // of one table
  std::uint64_t open_files_max = 0;    // of all processes (fs.file-max)
  std::uint64_t open_files = 0;
  std::uint64_t port_first = 32'768;  // net.ipv4.ip_local_port_range
  std::uint64_t port_last = 60'999;
  bool bounds_ports = true;                  // of a socket, as "sources.ports" needs it
  std::uint64_t accept_queue_max = 0;        // net.core.somaxconn
  std::uint64_t syn_queue_max = 0;           // net.ipv4.tcp_max_syn_backlog
  std::uint64_t tcp_pages_max = 0;           // net.ipv4.tcp_mem, the last; 0: not known
  std::optional<std::uint64_t> tracked_max;  // net.netfilter.nf_conntrack_max; none: no tracking
  std::uint64_t tracked = 0;
};

Machine read_machine();

}  // namespace rt

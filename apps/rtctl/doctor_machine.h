// What this machine allows a process that holds many streams. Judgements are pure.
#pragma once

#include <cstdint>
#include <optional>

#include "rtctl/doctor_finding.h"

namespace rt::rtctl {

struct MachineFacts {
  std::uint64_t descriptors_soft = 0;
  std::uint64_t descriptors_hard = 0;
  std::optional<std::uint64_t> port_first;  // net.ipv4.ip_local_port_range
  std::optional<std::uint64_t> port_last;
  std::optional<std::uint64_t> somaxconn;
  std::optional<std::uint64_t> syn_backlog;
  std::optional<std::uint64_t> conntrack_max;  // absent: connections are not tracked
  std::optional<std::uint64_t> conntrack_count;
};

MachineFacts measure_machine();

Finding judge_descriptors(const MachineFacts& facts);
Finding judge_ports(const MachineFacts& facts);
Finding judge_somaxconn(const MachineFacts& facts);
Finding judge_syn_backlog(const MachineFacts& facts);
Finding judge_conntrack(const MachineFacts& facts);

}  // namespace rt::rtctl

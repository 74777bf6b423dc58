#include "rtctl/doctor_machine.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <fstream>
#include <string>
#include <vector>

namespace rt::rtctl {
namespace {

std::vector<std::uint64_t> read_numbers(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t number = 0; file >> number;) numbers.push_back(number);
  return numbers;
}

std::optional<std::uint64_t> read_number(const std::string& path) {
  const std::vector<std::uint64_t> numbers = read_numbers(path);
  return numbers.empty() ? std::nullopt : std::optional(numbers.front());
}

// A limit below what a busy server needs; `key` is its sysctl.
Finding judge_sysctl(const std::optional<std::uint64_t>& value, const char* key,
                     std::uint64_t wanted, const char* meaning) {
  if (!value) return found_skipped(fmt::format("{} cannot be read", key));
  if (*value >= wanted) return found_ok(fmt::format("{} {}", key, *value));
  return found_warn(fmt::format("{} {}: {}", key, *value, meaning),
                    fmt::format("sysctl -w {}={}", key, wanted));
}

}  // namespace

MachineFacts measure_machine() {
  MachineFacts facts;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    facts.descriptors_soft = limit.rlim_cur;
    facts.descriptors_hard = limit.rlim_max;
  }
  const auto ports = read_numbers("/proc/sys/net/ipv4/ip_local_port_range");
  if (ports.size() == 2) {
    facts.port_first = ports[0];
    facts.port_last = ports[1];
  }
  facts.somaxconn = read_number("/proc/sys/net/core/somaxconn");
  facts.syn_backlog = read_number("/proc/sys/net/ipv4/tcp_max_syn_backlog");
  facts.conntrack_max = read_number("/proc/sys/net/netfilter/nf_conntrack_max");
  facts.conntrack_count = read_number("/proc/sys/net/netfilter/nf_conntrack_count");
  return facts;
}

Finding judge_descriptors(const MachineFacts& facts) {
  // The tools raise the soft limit to the hard one by themselves.
  constexpr std::uint64_t kEnough = 65'536;  // a day at a desk ends below it, a server begins there
  constexpr std::uint64_t kFew = 1'024;
  const std::string text =
      fmt::format("soft {}, hard {}", facts.descriptors_soft, facts.descriptors_hard);
  if (facts.descriptors_hard < kFew) {
    return found_fail(text, "raise it: ulimit -Hn 65536, or LimitNOFILE=65536 in the systemd unit");
  }
  if (facts.descriptors_hard < kEnough) {
    return found_warn(
        fmt::format("{}: about {} streams in one process", text,
                    facts.descriptors_hard - facts.descriptors_hard / 10),
        "raise it: LimitNOFILE=524288 in the systemd unit, or /etc/security/limits.d");
  }
  return found_ok(text);
}

Finding judge_ports(const MachineFacts& facts) {
  if (!facts.port_first || !facts.port_last) {
    return found_skipped("ip_local_port_range cannot be read");
  }
  const std::uint64_t count =
      *facts.port_last >= *facts.port_first ? *facts.port_last - *facts.port_first + 1 : 0;
  const std::string text = fmt::format("{} ports ({} to {}): connections to one server address",
                                       count, *facts.port_first, *facts.port_last);
  constexpr std::uint64_t kKernelDefault = 28'232;
  if (count >= kKernelDefault) return found_ok(text);
  return found_warn(text, "sysctl -w net.ipv4.ip_local_port_range='1024 65535'");
}

Finding judge_somaxconn(const MachineFacts& facts) {
  return judge_sysctl(facts.somaxconn, "net.core.somaxconn", 4096,
                      "reconnecting clients are turned away in a storm");
}

Finding judge_syn_backlog(const MachineFacts& facts) {
  return judge_sysctl(facts.syn_backlog, "net.ipv4.tcp_max_syn_backlog", 1024,
                      "half-open connections are dropped in a storm");
}

Finding judge_conntrack(const MachineFacts& facts) {
  if (!facts.conntrack_max) return found_ok("connections are not tracked");
  const std::uint64_t max = *facts.conntrack_max;
  const std::uint64_t count = facts.conntrack_count.value_or(0);
  const std::string text = fmt::format("{} of {} tracked connections in use", count, max);
  const std::string fix = fmt::format("sysctl -w net.netfilter.nf_conntrack_max={}", max * 4);
  if (count * 10 > max * 9) return found_fail(text, fix);
  constexpr std::uint64_t kSmall = 65'536;
  if (count * 2 > max || max < kSmall) return found_warn(text, fix);
  return found_ok(text);
}

}  // namespace rt::rtctl

#include "load/machine.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "io/socket.h"

namespace rt {
namespace {

// All numbers of the first line; empty if there is no such file or it says "max".
std::vector<std::uint64_t> numbers_in(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::istringstream words(line);
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t number = 0; words >> number;) numbers.push_back(number);
  return numbers;
}

std::uint64_t number_in(const std::string& path, std::uint64_t otherwise) {
  const std::vector<std::uint64_t> numbers = numbers_in(path);
  return numbers.empty() ? otherwise : numbers.front();
}

// proc(5), meminfo: "MemAvailable:   22334455 kB".
std::uint64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t kilobytes = 0;
    if (words >> name >> kilobytes && name == "MemAvailable:") return kilobytes * 1024;
  }
  return static_cast<std::uint64_t>(::sysconf(_SC_AVPHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// What a control group (version 2) leaves to this process; no limit: a very large number.
std::uint64_t memory_left_in_group() {
  constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t limit = number_in("/sys/fs/cgroup/memory.max", kNoLimit);
  if (limit == kNoLimit) return kNoLimit;
  const std::uint64_t used = number_in("/sys/fs/cgroup/memory.current", 0);
  return limit - std::min(limit, used);
}

// The limit alone says nothing: connections are only tracked while a firewall rule asks for it. One
// of our own over loopback shows.
std::uint64_t tracked_connections() {
  const std::string path = "/proc/sys/net/netfilter/nf_conntrack_count";
  const auto any = io::parse_address("127.0.0.1:0");
  const auto listener = io::listen_on(*any, {});
  const auto there = listener ? io::local_address(listener->get()) : any;
  const auto connection = io::connect_to(*there, nullptr);
  return number_in(path, 0);
}

}  // namespace

Machine read_machine() {
  constexpr std::uint64_t kUnknown = std::numeric_limits<std::uint64_t>::max();
  Machine machine;
  machine.cores = std::max(1U, std::thread::hardware_concurrency());
  machine.memory_bytes = std::min(available_memory(), memory_left_in_group());
  machine.page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  rlimit limit{};
  const bool limited = ::getrlimit(RLIMIT_NOFILE, &limit) == 0;
  machine.descriptors_hard = limited ? std::uint64_t{limit.rlim_max} : 1'024;
  machine.open_files_max = number_in("/proc/sys/fs/file-max", kUnknown);
  machine.open_files = number_in("/proc/sys/fs/file-nr", 0);
  const std::vector<std::uint64_t> ports = numbers_in("/proc/sys/net/ipv4/ip_local_port_range");
  if (ports.size() == 2) {
    machine.port_first = ports[0];
    machine.port_last = ports[1];
  }
  machine.bounds_ports = io::bounds_ports();
  machine.accept_queue_max = number_in("/proc/sys/net/core/somaxconn", kUnknown);
  machine.syn_queue_max = number_in("/proc/sys/net/ipv4/tcp_max_syn_backlog", kUnknown);
  const std::vector<std::uint64_t> pages = numbers_in("/proc/sys/net/ipv4/tcp_mem");
  if (pages.size() == 3) machine.tcp_pages_max = pages[2];
  const std::uint64_t tracked_max = number_in("/proc/sys/net/netfilter/nf_conntrack_max", kUnknown);
  machine.tracked = tracked_max != kUnknown ? tracked_connections() : 0;
  if (machine.tracked != 0) machine.tracked_max = tracked_max;
  return machine;
}

}  // namespace rt

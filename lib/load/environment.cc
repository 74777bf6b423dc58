#include "load/environment.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "base/text.h"

namespace rt {
namespace {

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The value after "key" and a separator, of the first line that begins with key.
std::string value_of(const char* path, std::string_view key, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const std::size_t at = line.find(separator);
    if (at != std::string::npos) return std::string(trim(std::string_view(line).substr(at + 1)));
  }
  return {};
}

std::uint64_t limit_value(rlim_t limit) {
  return limit == RLIM_INFINITY ? ~std::uint64_t{0} : static_cast<std::uint64_t>(limit);
}

}  // namespace

Environment read_environment(std::string_view tool_version) {
  Environment env;
  utsname name{};
  if (::uname(&name) == 0) {
    env.host = name.nodename;
    env.kernel = fmt::format("{} {} {}", name.sysname, name.release, name.machine);
  }
  env.cpu = value_of("/proc/cpuinfo", "model name", ':');
  env.cores = std::thread::hardware_concurrency();
  env.memory_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                     static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  env.governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    env.descriptor_soft = limit_value(limit.rlim_cur);
    env.descriptor_hard = limit_value(limit.rlim_max);
  }
  env.port_range = first_line("/proc/sys/net/ipv4/ip_local_port_range");
  for (char& c : env.port_range) c = c == '\t' ? '-' : c;
  env.cgroup_cpu = first_line("/sys/fs/cgroup/cpu.max");
  env.cgroup_memory = first_line("/sys/fs/cgroup/memory.max");
  env.tool_version = tool_version;
#ifdef NDEBUG
  env.build = "optimised, " __VERSION__;
#else
  env.build = "debug, " __VERSION__;
#endif
  return env;
}

StolenTime read_stolen_time() {
  StolenTime stolen;
  // proc(5): "cpu user nice system idle iowait irq softirq steal ...".
  std::istringstream line(first_line("/proc/stat"));
  std::string word;
  line >> word;
  std::int64_t ticks = 0;
  for (int field = 1; field <= 8 && line >> ticks; ++field) {
    stolen.total_ticks += ticks;
    if (field == 8) stolen.steal_ticks = ticks;
  }
  const std::string throttled = value_of("/sys/fs/cgroup/cpu.stat", "throttled_usec", ' ');
  stolen.throttled_us = parse_decimal(throttled).value_or(0);
  return stolen;
}

}  // namespace rt

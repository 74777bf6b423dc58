#include "load/source_addresses.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

namespace rt {
namespace {

// 127.0.1.1 to 127.0.254.254: the network of loopback is wider, and nobody needs more.
constexpr std::uint64_t kLastByte = 254;
constexpr std::uint64_t kLoopback = kLastByte * kLastByte;

bool is_loopback_v4(const io::Address& address) {
  return address.is_loopback() && address.storage.ss_family == AF_INET;
}

std::uint32_t ipv4_of(const sockaddr* address) {
  return ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr);
}

// The address that the kernel would choose: a datagram socket can be asked without sending.
std::uint32_t chosen_by_kernel(const io::Address& target) {
  const Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd || ::connect(fd.get(), target.raw(), target.size) != 0) return 0;
  const auto local = io::local_address(fd.get());
  return local ? ipv4_of(local->raw()) : 0;
}

// The chosen address first, then the others of its interface.
std::vector<std::uint32_t> beside_chosen(const io::Address& target) {
  if (target.storage.ss_family != AF_INET) return {};
  const std::uint32_t chosen = chosen_by_kernel(target);
  ifaddrs* list = nullptr;
  if (chosen == 0 || ::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owned(list, ::freeifaddrs);
  std::string interface;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET) continue;
    if (ipv4_of(at->ifa_addr) == chosen) interface = at->ifa_name;
  }
  std::vector<std::uint32_t> found{chosen};
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET) continue;
    // An alias like eth0:1 has a name of its own, and the same interface.
    const std::string name(at->ifa_name, std::strcspn(at->ifa_name, ":"));
    const std::uint32_t address = ipv4_of(at->ifa_addr);
    if (name == interface.substr(0, interface.find(':')) && address != chosen) {
      found.push_back(address);
    }
  }
  return found;
}

io::Address address_of(std::uint32_t ipv4) {
  return *io::parse_address(
      fmt::format("{}.{}.{}.{}:0", ipv4 >> 24, ipv4 >> 16 & 255, ipv4 >> 8 & 255, ipv4 & 255));
}

}  // namespace

std::uint64_t count_source_addresses(const io::Address& target) {
  if (is_loopback_v4(target)) return kLoopback;
  if (target.is_loopback()) return 1;
  return std::max<std::uint64_t>(1, beside_chosen(target).size());
}

std::vector<io::Address> source_addresses(const io::Address& target, std::uint64_t count) {
  std::vector<io::Address> sources;
  if (is_loopback_v4(target)) {
    constexpr std::uint32_t kFirst = 127U << 24;
    for (std::uint64_t i = 0; i < std::min(count, kLoopback); ++i) {
      const auto third = static_cast<std::uint32_t>(1 + i / kLastByte);
      const auto fourth = static_cast<std::uint32_t>(1 + i % kLastByte);
      sources.push_back(address_of(kFirst | third << 8 | fourth));
    }
    return sources;
  }
  if (count <= 1 || target.is_loopback()) return sources;
  for (const std::uint32_t ipv4 : beside_chosen(target)) {
    if (sources.size() < count) sources.push_back(address_of(ipv4));
  }
  return sources;
}

}  // namespace rt

// TCP sockets: addresses, listeners, outgoing connections. Non-blocking and close-on-exec
// throughout.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace rt::io {

// An IPv4 or IPv6 address with a port.
struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
  bool is_loopback() const;
  bool is_ipv6() const { return storage.ss_family == AF_INET6; }
  std::uint16_t port() const;
  void set_port(std::uint16_t port);
  std::string text() const;  // "127.0.0.1:8080", "[::1]:8080"
};

// "127.0.0.1:8080", ":8080" (all interfaces), "[::1]:8080", "8080" (loopback). Numeric only.
Result<Address> parse_address(std::string_view text);
// host: a name or number; resolves with getaddrinfo (may block), first address first.
Result<std::vector<Address>> resolve(const std::string& host, std::uint16_t port);

struct ListenOptions {
  // Several sockets share the port and the kernel spreads new connections over them. The caller
  // makes sure that nobody else holds the port first: see claim_port().
  bool share_port = false;
  int backlog = 4096;  // connections established but not yet accepted; the kernel cuts at somaxconn
};
Result<Fd> listen_on(const Address& address, const ListenOptions& options);
// Fails with Code::limit if another process listens on the port. With port 0, picks one.
// Keep the returned descriptor open until the shared listeners stand.
Result<Fd> claim_port(Address& address);

// Local ports, both ends included.
struct PortRange {
  std::uint16_t first = 0;  // 0: whatever the system allows (net.ipv4.ip_local_port_range)
  std::uint16_t last = 0;

  bool is_set() const { return first != 0; }
};

// Starts connecting; the descriptor becomes writable when it is settled (then see connect_error()).
// source: where to bind first, or nullptr. The port is chosen at connect time
// (IP_BIND_ADDRESS_NO_PORT), so that one source address serves one port range per target. `ports`
// bounds that choice further; the kernel must be able to (see bounds_ports()), and does so only
// within the system's own range.
Result<Fd> connect_to(const Address& target, const Address* source, PortRange ports = {});
// Whether the kernel can bound the ports of one socket: since Linux 6.3.
bool bounds_ports();
// 0, or the errno of a settled connection attempt.
int connect_error(int fd);

Result<Address> local_address(int fd);
Result<Address> peer_address(int fd);
void set_no_delay(int fd);

}  // namespace rt::io

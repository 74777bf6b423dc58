#include "io/socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace rt::io {
namespace {

sockaddr_in& v4(sockaddr_storage& s) {
  return reinterpret_cast<sockaddr_in&>(s);
}
sockaddr_in6& v6(sockaddr_storage& s) {
  return reinterpret_cast<sockaddr_in6&>(s);
}
const sockaddr_in& v4(const sockaddr_storage& s) {
  return reinterpret_cast<const sockaddr_in&>(s);
}
const sockaddr_in6& v6(const sockaddr_storage& s) {
  return reinterpret_cast<const sockaddr_in6&>(s);
}

void set_flag(int fd, int level, int option) {
  const int one = 1;
  ::setsockopt(fd, level, option, &one, sizeof one);
}

// ip(7), IP_LOCAL_PORT_RANGE, for both families; the number, as headers before Linux 6.3 lack it.
bool set_ports(int fd, PortRange ports) {
  constexpr int kLocalPortRange = 51;
  const std::uint32_t both = std::uint32_t{ports.last} << 16 | ports.first;
  return ::setsockopt(fd, SOL_IP, kLocalPortRange, &both, sizeof both) == 0;
}

Result<Fd> tcp_socket(int family) {
  Fd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail(os_error("cannot create a socket", errno));
  return fd;
}

}  // namespace

bool Address::is_loopback() const {
  if (storage.ss_family == AF_INET) return (ntohl(v4(storage).sin_addr.s_addr) >> 24) == 127;
  return IN6_IS_ADDR_LOOPBACK(&v6(storage).sin6_addr);
}

std::uint16_t Address::port() const {
  return ntohs(storage.ss_family == AF_INET ? v4(storage).sin_port : v6(storage).sin6_port);
}

void Address::set_port(std::uint16_t port) {
  (storage.ss_family == AF_INET ? v4(storage).sin_port : v6(storage).sin6_port) = htons(port);
}

std::string Address::text() const {
  char host[INET6_ADDRSTRLEN] = "?";
  if (storage.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &v4(storage).sin_addr, host, sizeof host);
    return fmt::format("{}:{}", host, port());
  }
  ::inet_ntop(AF_INET6, &v6(storage).sin6_addr, host, sizeof host);
  return fmt::format("[{}]:{}", host, port());
}

Result<Address> parse_address(std::string_view text) {
  const auto bad = [&] {
    return fail(Code::usage,
                fmt::format("expected an address like \"127.0.0.1:8080\", found \"{}\"", text));
  };
  const std::size_t colon = text.rfind(':');
  std::string host = "127.0.0.1";
  std::string_view port_text = text;
  if (colon != std::string_view::npos) {
    host = colon == 0 ? "0.0.0.0" : std::string(text.substr(0, colon));
    port_text = text.substr(colon + 1);
  }
  if (host == "localhost") host = "127.0.0.1";
  const auto port = parse_decimal(port_text);
  if (!port || *port > 65535) return bad();
  Address address;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    address.storage.ss_family = AF_INET6;
    address.size = sizeof(sockaddr_in6);
    const std::string inner = host.substr(1, host.size() - 2);
    if (::inet_pton(AF_INET6, inner.c_str(), &v6(address.storage).sin6_addr) != 1) return bad();
  } else {
    address.storage.ss_family = AF_INET;
    address.size = sizeof(sockaddr_in);
    if (::inet_pton(AF_INET, host.c_str(), &v4(address.storage).sin_addr) != 1) return bad();
  }
  address.set_port(static_cast<std::uint16_t>(*port));
  return address;
}

Result<std::vector<Address>> resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int rc = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (rc != 0) {
    return fail(Code::unreachable,
                fmt::format("cannot resolve \"{}\": {}", host, gai_strerror(rc)));
  }
  std::vector<Address> found;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
    Address address;
    std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
    address.size = at->ai_addrlen;
    address.set_port(port);
    found.push_back(address);
  }
  ::freeaddrinfo(list);
  return found;
}

Result<Fd> listen_on(const Address& address, const ListenOptions& options) {
  Fd fd = RT_TRY(tcp_socket(address.storage.ss_family));
  set_flag(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  if (options.share_port) set_flag(fd.get(), SOL_SOCKET, SO_REUSEPORT);
  set_flag(fd.get(), IPPROTO_TCP, TCP_NODELAY);  // inherited by what is accepted
  if (::bind(fd.get(), address.raw(), address.size) != 0 ||
      ::listen(fd.get(), options.backlog) != 0) {
    const int error = errno;
    Error failed = os_error(fmt::format("cannot listen on {}", address.text()), error);
    if (error == EADDRINUSE) {
      failed.hint = "another process listens there: choose another port with --listen, or stop it";
    }
    return fail(std::move(failed));
  }
  return fd;
}

Result<Fd> claim_port(Address& address) {
  // SO_REUSEPORT would let us share the port with another server of the same user without a word;
  // a plain bind first finds that out. It is not listening, so it takes no connection.
  Fd probe = RT_TRY(listen_on(address, {.share_port = false, .backlog = 1}));
  const Address bound = RT_TRY(local_address(probe.get()));
  address.set_port(bound.port());
  probe.close();
  Fd claim = RT_TRY(tcp_socket(address.storage.ss_family));
  set_flag(claim.get(), SOL_SOCKET, SO_REUSEADDR);
  set_flag(claim.get(), SOL_SOCKET, SO_REUSEPORT);
  if (::bind(claim.get(), address.raw(), address.size) != 0) {
    return fail(os_error(fmt::format("cannot claim {}", address.text()), errno));
  }
  return claim;
}

Result<Fd> connect_to(const Address& target, const Address* source, PortRange ports) {
  Fd fd = RT_TRY(tcp_socket(target.storage.ss_family));
  set_flag(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  if (ports.is_set() && !set_ports(fd.get(), ports)) {
    return fail(
        os_error(fmt::format("cannot use local ports {}-{}", ports.first, ports.last), errno));
  }
  if (source != nullptr) {
    set_flag(fd.get(), SOL_IP, IP_BIND_ADDRESS_NO_PORT);
    if (::bind(fd.get(), source->raw(), source->size) != 0) {
      return fail(os_error(fmt::format("cannot use source address {}", source->text()), errno));
    }
  }
  if (::connect(fd.get(), target.raw(), target.size) != 0 && errno != EINPROGRESS) {
    const int error = errno;
    const Code code = error == EADDRNOTAVAIL ? Code::limit : Code::unreachable;
    return fail(os_error(fmt::format("cannot connect to {}", target.text()), error, code));
  }
  return fd;
}

bool bounds_ports() {
  const auto probe = tcp_socket(AF_INET);
  return probe && set_ports(probe->get(), {1'024, 65'535});
}

int connect_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

Result<Address> local_address(int fd) {
  Address address;
  address.size = sizeof address.storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size) != 0) {
    return fail(os_error("cannot read a socket's address", errno));
  }
  return address;
}

Result<Address> peer_address(int fd) {
  Address address;
  address.size = sizeof address.storage;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size) != 0) {
    return fail(os_error("cannot read a peer's address", errno));
  }
  return address;
}

void set_no_delay(int fd) {
  set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
}

}  // namespace rt::io

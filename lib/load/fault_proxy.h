// The built-in proxy: what target and subscribers say to each other passes through it, and it does
// to that what the scenario's faults say. A thread with a descriptor table of its own. Which
// connections a fault hits is a function of (seed, fault, number of the connection as accepted).
//
// Each connection has two sockets here, and what waits in it is bounded: beyond that the side that
// sends is not read from.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/socket.h"
#include "load/scenario_behaviour.h"

namespace rt {

class FaultRelay;

class FaultProxy {
 public:
  // shows_events: HTTP/1.1 without TLS. Code::limit when a descriptor table has no room for so many
  // connections.
  static Result<std::unique_ptr<FaultProxy>> start(const io::Address& target, bool shows_events,
                                                   const std::vector<FaultSpec>& faults,
                                                   std::uint64_t seed, std::uint64_t connections,
                                                   const Clock& clock);
  ~FaultProxy();

  const io::Address& address() const { return address_; }  // where to connect
  // Fault number `index` begins. Control thread.
  void begin(std::size_t index, Instant at);

 private:
  FaultProxy(std::unique_ptr<FaultRelay> relay, const io::Address& address);

  std::unique_ptr<FaultRelay> relay_;
  io::Address address_;
  std::thread thread_;
};

}  // namespace rt

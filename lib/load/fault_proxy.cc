#include "load/fault_proxy.h"

#include <fmt/format.h>

#include "base/units.h"
#include "io/descriptors.h"
#include "load/fault_relay.h"

namespace rt {
namespace {

// Of the descriptor table: standard streams, poller, wakeup, listener.
constexpr std::size_t kReserved = 64;

}  // namespace

Result<std::unique_ptr<FaultProxy>> FaultProxy::start(const io::Address& target, bool shows_events,
                                                      const std::vector<FaultSpec>& faults,
                                                      std::uint64_t seed, std::uint64_t connections,
                                                      const Clock& clock) {
  const std::size_t limit = io::raise_descriptor_limit();
  const std::size_t room = limit > kReserved ? (limit - kReserved) / 2 : 0;
  if (connections > room) {
    return fail(Code::limit,
                fmt::format("faults pass through a proxy with two sockets a connection: its "
                            "descriptor table has room for {}, not {}",
                            format_count(room), format_count(connections)),
                "fewer connections, or a higher limit: ulimit -n");
  }
  io::Address address = RT_TRY(io::parse_address("127.0.0.1:0"));
  Fd listener = RT_TRY(io::listen_on(address, {}));
  address = RT_TRY(io::local_address(listener.get()));
  io::Wakeup wakeup = RT_TRY(io::Wakeup::create());
  auto relay = std::make_unique<FaultRelay>(target, shows_events, faults, seed, clock,
                                            std::move(listener), std::move(wakeup));
  return std::unique_ptr<FaultProxy>(new FaultProxy(std::move(relay), address));
}

FaultProxy::FaultProxy(std::unique_ptr<FaultRelay> relay, const io::Address& address)
    : relay_(std::move(relay)), address_(address), thread_([this] { relay_->run(); }) {}

FaultProxy::~FaultProxy() {
  relay_->stop();
  thread_.join();
}

void FaultProxy::begin(std::size_t index, Instant at) {
  relay_->begin(index, at);
}

}  // namespace rt

// The part of the fault proxy that speaks with sockets.
#include <sys/socket.h>

#include <cerrno>

#include "base/random.h"
#include "load/fault_relay.h"

namespace rt {
namespace {

// What waits in one connection before its target is made to wait: more than a burst, and little
// enough that a stalled thousand stays below a quarter of a GiB.
constexpr std::size_t kWaitingMax = 256 * 1024;

void reset_on_close(int fd) {
  const linger at_once{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace

void FaultRelay::accept(Instant now) {
  for (;;) {
    Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) return;
    auto target = io::connect_to(target_, nullptr);
    if (!target) continue;  // the subscriber sees a closed connection, as it would without us
    io::set_no_delay(client.get());
    io::set_no_delay(target->get());
    open(std::move(client), std::move(*target), now);
  }
}

void FaultRelay::open(Fd client, Fd target, Instant now) {
  std::size_t i = links_.size();
  if (free_.empty()) {
    links_.emplace_back();
  } else {
    i = free_.back();
    free_.pop_back();
  }
  links_[i] =
      std::make_unique<Link>(Random::of(seed_, "jitter", accepted_).next(), watches_events_);
  Link& link = *links_[i];
  link.number = accepted_++;
  link.client.fd = std::move(client);
  link.target.fd = std::move(target);
  if (!poller_->watch(link.client.fd.get(), 2 * i, io::Interest::read) ||
      !poller_->watch(link.target.fd.get(), 2 * i + 1, io::Interest::read)) {
    close(i);
    return;
  }
  for (const Active& active : active_) {
    if (!links_[i]) return;
    if (active.end > now && hits(active.fault, link.number)) strike(i, active.fault, active.end);
  }
}

// The fault takes hold of a connection.
void FaultRelay::strike(std::size_t i, std::size_t fault, Instant end) {
  Link& link = *links_[i];
  const FaultSpec& spec = specs_[fault];
  if (spec.kind == FaultSpec::Kind::reset) {
    reset_on_close(link.client.fd.get());
    close(i);
  } else if (spec.kind == FaultSpec::Kind::truncate && !spec.mid_event) {
    close(i);
  } else if (spec.kind == FaultSpec::Kind::truncate) {
    link.down.cut_in_event();
  } else {
    link.faults.push_back({&spec, end});
    link.numbers.push_back(fault);
  }
}

void FaultRelay::ready(const io::Ready& event, Instant now) {
  const auto i = static_cast<std::size_t>(event.token / 2);
  const bool from_target = event.token % 2 == 1;
  if (i >= links_.size() || !links_[i]) return;
  if (event.writable && from_target) push_up(i);
  if (event.writable && !from_target && links_[i]) push_down(i, now);
  if (!event.readable || !links_[i]) return;
  if (from_target) {
    read_target(i, now);
  } else {
    read_client(i);
  }
}

void FaultRelay::read_client(std::size_t i) {
  Link& link = *links_[i];
  const ssize_t n = ::recv(link.client.fd.get(), buffer_.data(), buffer_.size(), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    if (n < 0) reset_on_close(link.target.fd.get());
    close(i);
    return;
  }
  link.up.append(buffer_.data(), static_cast<std::size_t>(n));
  push_up(i);
}

void FaultRelay::read_target(std::size_t i, Instant now) {
  Link& link = *links_[i];
  const ssize_t n = ::recv(link.target.fd.get(), buffer_.data(), buffer_.size(), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n < 0) reset_on_close(link.client.fd.get());
  if (n <= 0) {
    link.target_ended = true;
    link.down.let_go(now);
    poller_->unwatch(link.target.fd.get());
    link.target.reads = false;
  } else {
    link.down.take({buffer_.data(), static_cast<std::size_t>(n)}, link.faults, now);
  }
  push_down(i, now);
}

void FaultRelay::push_up(std::size_t i) {
  Link& link = *links_[i];
  for (const FaultAtWork& fault : link.faults) {
    if (fault.spec->kind == FaultSpec::Kind::blackhole) return;
  }
  while (!link.up.empty()) {
    const ssize_t n = ::send(link.target.fd.get(), link.up.data(), link.up.size(), MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (n < 0) {
      close(i);
      return;
    }
    link.up.erase(0, static_cast<std::size_t>(n));
  }
  want(link.target, 2 * i + 1, link.target.reads, !link.up.empty());
}

void FaultRelay::push_down(std::size_t i, Instant now) {
  Link& link = *links_[i];
  bool blocked = false;
  for (std::string_view bytes; !blocked && !(bytes = link.down.due(now)).empty();) {
    const ssize_t n = ::send(link.client.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0) link.down.sent(static_cast<std::size_t>(n));
    blocked = n < 0 && (errno == EAGAIN || errno == EINTR);
    if (n < 0 && !blocked) {
      close(i);
      return;
    }
  }
  if (link.down.ends_here() || (link.target_ended && link.down.waiting() == 0)) {
    close(i);
    return;
  }
  want(link.client, 2 * i, true, blocked);
  const bool room = link.down.waiting() < kWaitingMax;
  want(link.target, 2 * i + 1, room && !link.target_ended, link.target.writes);
  if (blocked || link.down.next_due() >= link.armed) return;
  link.armed = link.down.next_due();
  due_.push({link.armed, i});
}

// What a socket is watched for.
void FaultRelay::want(Side& side, std::uint64_t token, bool reads, bool writes) {
  if (side.reads == reads && side.writes == writes) return;
  const bool was_watched = side.reads || side.writes;
  side.reads = reads;
  side.writes = writes;
  if (!reads && !writes) {
    poller_->unwatch(side.fd.get());
    return;
  }
  const io::Interest interest = reads && writes ? io::Interest::read_write
                                : writes        ? io::Interest::write
                                                : io::Interest::read;
  // A failure leaves the connection still: its owner will find it stalled, which is what it is.
  (void)(was_watched ? poller_->change(side.fd.get(), token, interest)
                     : poller_->watch(side.fd.get(), token, interest));
}

void FaultRelay::close(std::size_t i) {
  links_[i].reset();
  free_.push_back(i);
}

}  // namespace rt

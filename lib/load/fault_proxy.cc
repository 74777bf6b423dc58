#include "load/fault_proxy.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <queue>
#include <thread>

#include "base/units.h"
#include "io/descriptors.h"
#include "io/poller.h"
#include "io/wakeup.h"
#include "load/fault_pipe.h"

namespace rt {
namespace {

constexpr std::uint64_t kWakeToken = ~std::uint64_t{0};
constexpr std::uint64_t kListenToken = kWakeToken - 1;
constexpr std::size_t kReadBytes = 64 * 1024;
// What waits in one connection before its target is made to wait: more than a burst, and little
// enough that a stalled thousand stays below a quarter of a GiB.
constexpr std::size_t kWaitingMax = 256 * 1024;
// Of the descriptor table: standard streams, poller, wakeup, listener.
constexpr std::size_t kReserved = 64;
// How often faults that end are looked for.
constexpr Duration kSlice = std::chrono::milliseconds(20);

void reset_on_close(int fd) {
  const linger at_once{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace

class FaultProxy::Relay {
 public:
  Relay(const io::Address& target, std::vector<FaultSpec> faults, std::uint64_t seed,
        const Clock& clock, Fd listener, io::Wakeup wakeup)
      : target_(target),
        specs_(std::move(faults)),
        seed_(seed),
        clock_(clock),
        listener_(std::move(listener)),
        wakeup_(std::move(wakeup)),
        buffer_(kReadBytes) {
    watches_events_ = std::any_of(specs_.begin(), specs_.end(), [](const FaultSpec& spec) {
      return spec.kind == FaultSpec::Kind::duplicate || spec.mid_event;
    });
    thread_ = std::thread([this] { run(); });
  }
  ~Relay() {
    stopped_ = true;
    wakeup_.ring();
    thread_.join();
  }

  void begin(std::size_t index, Instant at) {
    {
      const std::lock_guard lock(mutex_);
      begun_.push_back({index, at});
    }
    wakeup_.ring();
  }

 private:
  struct Side {
    Fd fd;
    bool reads = true;
    bool writes = false;
  };
  struct Link {
    Side client;
    Side target;
    std::uint64_t number = 0;
    FaultPipe down;
    std::string up;  // a request: a few hundred bytes
    bool target_ended = false;
    std::vector<FaultAtWork> faults;
    std::vector<std::size_t> indexes;  // of those faults

    Link(std::uint64_t seed, bool watches) : down(seed, watches) {}
  };
  struct Active {
    std::size_t index = 0;
    Instant end{};
  };
  struct Due {
    Instant at;
    std::size_t link = 0;
    bool operator>(const Due& other) const { return at > other.at; }
  };

  bool hits(std::size_t fault, std::uint64_t number) const {
    Random random = Random::of(seed_, "fault", number * 256 + fault);
    return random.unit() < specs_[fault].share;
  }

  void run() {
    ::prctl(PR_SET_TIMERSLACK, 1'000UL);
    const std::array keep{wakeup_.fd(), listener_.get()};
    if (!io::own_descriptor_table(keep)) return;
    auto poller = io::Poller::create();
    if (!poller) return;
    poller_ = &*poller;
    if (!poller_->watch(wakeup_.fd(), kWakeToken, io::Interest::read) ||
        !poller_->watch(listener_.get(), kListenToken, io::Interest::read)) {
      return;
    }
    while (!stopped_) turn();
    links_.clear();
  }

  void turn() {
    std::array<io::Ready, io::Poller::kBatchMax> events;
    Instant now = clock_.now();
    Instant deadline = now + (active_.empty() ? std::chrono::seconds(1) : kSlice);
    if (!due_.empty()) deadline = std::clamp(due_.top().at, now, deadline);
    const std::size_t count = poller_->wait(events, deadline, now);
    now = clock_.now();
    for (std::size_t i = 0; i < count; ++i) {
      const io::Ready& event = events[i];
      if (event.token == kWakeToken) {
        wakeup_.answer();
      } else if (event.token == kListenToken) {
        accept(now);
      } else {
        ready(event, now);
      }
    }
    follow_orders();
    end_faults(now);
    while (!due_.empty() && due_.top().at <= now) {
      const std::size_t index = due_.top().link;
      due_.pop();
      if (links_[index]) push_down(index, now);
    }
  }

  void follow_orders() {
    std::vector<std::pair<std::size_t, Instant>> begun;
    {
      const std::lock_guard lock(mutex_);
      begun.swap(begun_);
    }
    for (const auto& [index, at] : begun) {
      const FaultSpec& spec = specs_[index];
      active_.push_back({index, at + spec.lasts});
      for (std::size_t i = 0; i < links_.size(); ++i) {
        if (links_[i] && hits(index, links_[i]->number)) strike(i, index, at + spec.lasts);
      }
    }
  }

  // The fault takes hold of a connection.
  void strike(std::size_t i, std::size_t fault, Instant end) {
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
      link.indexes.push_back(fault);
    }
  }

  void end_faults(Instant now) {
    for (std::size_t a = active_.size(); a-- > 0;) {
      if (active_[a].end > now) continue;
      const std::size_t fault = active_[a].index;
      active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(a));
      for (std::size_t i = 0; i < links_.size(); ++i) {
        if (links_[i]) release(i, fault, now);
      }
    }
  }

  void release(std::size_t i, std::size_t fault, Instant now) {
    Link& link = *links_[i];
    const auto at = std::find(link.indexes.begin(), link.indexes.end(), fault);
    if (at == link.indexes.end()) return;
    link.faults.erase(link.faults.begin() + (at - link.indexes.begin()));
    link.indexes.erase(at);
    link.down.let_go(now);
    push_up(i);
    if (links_[i]) push_down(i, now);
  }

  void accept(Instant now) {
    for (;;) {
      Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!socket) return;
      io::set_no_delay(socket.get());
      auto target = io::connect_to(target_, nullptr);
      if (!target) continue;  // the subscriber sees a closed connection, as it would without us
      io::set_no_delay(target->get());
      const std::size_t i = free_slot();
      links_[i] =
          std::make_unique<Link>(Random::of(seed_, "jitter", accepted_).next(), watches_events_);
      Link& link = *links_[i];
      link.number = accepted_++;
      link.client.fd = std::move(socket);
      link.target.fd = std::move(*target);
      if (!poller_->watch(link.client.fd.get(), 2 * i, io::Interest::read) ||
          !poller_->watch(link.target.fd.get(), 2 * i + 1, io::Interest::read)) {
        close(i);
        continue;
      }
      for (const Active& active : active_) {
        if (links_[i] && active.end > now && hits(active.index, link.number)) {
          strike(i, active.index, active.end);
        }
      }
    }
  }

  std::size_t free_slot() {
    if (free_.empty()) {
      links_.emplace_back();
      return links_.size() - 1;
    }
    const std::size_t i = free_.back();
    free_.pop_back();
    return i;
  }

  void ready(const io::Ready& event, Instant now) {
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

  void read_client(std::size_t i) {
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

  void read_target(std::size_t i, Instant now) {
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

  void push_up(std::size_t i) {
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

  void push_down(std::size_t i, Instant now) {
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
    if (!blocked && link.down.next_due() != Instant::max()) due_.push({link.down.next_due(), i});
  }

  // What a socket is watched for.
  void want(Side& side, std::uint64_t token, bool reads, bool writes) {
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

  void close(std::size_t i) {
    links_[i].reset();
    free_.push_back(i);
  }

  const io::Address target_;
  const std::vector<FaultSpec> specs_;
  const std::uint64_t seed_;
  const Clock& clock_;
  Fd listener_;
  io::Wakeup wakeup_;
  std::vector<char> buffer_;
  io::Poller* poller_ = nullptr;
  bool watches_events_ = false;
  std::vector<std::unique_ptr<Link>> links_;
  std::vector<std::size_t> free_;
  std::vector<Active> active_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::uint64_t accepted_ = 0;
  std::mutex mutex_;
  std::vector<std::pair<std::size_t, Instant>> begun_;
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

Result<std::unique_ptr<FaultProxy>> FaultProxy::start(const io::Address& target,
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
  auto relay =
      std::make_unique<Relay>(target, faults, seed, clock, std::move(listener), std::move(wakeup));
  return std::unique_ptr<FaultProxy>(new FaultProxy(std::move(relay), address));
}

FaultProxy::FaultProxy(std::unique_ptr<Relay> relay, const io::Address& address)
    : relay_(std::move(relay)), address_(address) {}

FaultProxy::~FaultProxy() = default;

void FaultProxy::begin(std::size_t index, Instant at) {
  relay_->begin(index, at);
}

}  // namespace rt

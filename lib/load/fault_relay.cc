#include "load/fault_relay.h"

#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "base/random.h"
#include "io/descriptors.h"

namespace rt {
namespace {

constexpr std::uint64_t kWakeToken = ~std::uint64_t{0};
constexpr std::uint64_t kListenToken = kWakeToken - 1;
constexpr std::size_t kReadBytes = 64 * 1024;
// How often faults that end are looked for.
constexpr Duration kSlice = std::chrono::milliseconds(20);

bool repeats_or_cuts(const FaultSpec& spec) {
  return spec.kind == FaultSpec::Kind::duplicate || spec.mid_event;
}

}  // namespace

FaultRelay::FaultRelay(const io::Address& target, bool shows_events, std::vector<FaultSpec> faults,
                       std::uint64_t seed, const Clock& clock, Fd listener, io::Wakeup wakeup)
    : target_(target),
      specs_(std::move(faults)),
      seed_(seed),
      clock_(clock),
      listener_(std::move(listener)),
      wakeup_(std::move(wakeup)),
      buffer_(kReadBytes),
      watches_events_(shows_events && std::any_of(specs_.begin(), specs_.end(), repeats_or_cuts)) {}

void FaultRelay::begin(std::size_t fault, Instant at) {
  {
    const std::lock_guard lock(mutex_);
    begun_.push_back({fault, at});
  }
  wakeup_.ring();
}

void FaultRelay::stop() {
  stopped_ = true;
  wakeup_.ring();
}

void FaultRelay::run() {
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

void FaultRelay::turn() {
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
    if (!links_[index] || links_[index]->armed > now) continue;
    links_[index]->armed = Instant::max();
    push_down(index, now);
  }
}

void FaultRelay::follow_orders() {
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

bool FaultRelay::hits(std::size_t fault, std::uint64_t number) const {
  Random random = Random::of(seed_, "fault", number * 256 + fault);
  return random.unit() < specs_[fault].share;
}

void FaultRelay::end_faults(Instant now) {
  for (std::size_t a = active_.size(); a-- > 0;) {
    if (active_[a].end > now) continue;
    const std::size_t fault = active_[a].fault;
    active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(a));
    for (std::size_t i = 0; i < links_.size(); ++i) {
      if (links_[i]) release(i, fault, now);
    }
  }
}

void FaultRelay::release(std::size_t i, std::size_t fault, Instant now) {
  Link& link = *links_[i];
  const auto at = std::find(link.numbers.begin(), link.numbers.end(), fault);
  if (at == link.numbers.end()) return;
  link.faults.erase(link.faults.begin() + (at - link.numbers.begin()));
  link.numbers.erase(at);
  link.down.let_go(now);
  push_up(i);
  if (links_[i]) push_down(i, now);
}

}  // namespace rt

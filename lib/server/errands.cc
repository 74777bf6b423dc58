#include "server/errands.h"

#include <array>

#include "base/clock.h"
#include "io/poller.h"

namespace rt::server {

Result<std::unique_ptr<Errands>> Errands::start(io::Wakeup& hub) {
  io::Wakeup wakeup = RT_TRY(io::Wakeup::create());
  std::unique_ptr<Errands> errands(new Errands(hub, std::move(wakeup)));
  errands->thread_ =
      std::jthread([self = errands.get()](const std::stop_token& stop) { self->run(stop); });
  return errands;
}

Errands::~Errands() {
  thread_.request_stop();
  own_.ring();
}

bool Errands::submit(Errand&& errand) {
  if (outstanding_ == kQueueMax || !waiting_.push(std::move(errand))) return false;
  ++outstanding_;
  own_.ring();
  return true;
}

void Errands::finish() {
  Errand errand;
  while (done_.pop(errand)) {
    --outstanding_;
    errand.done();
  }
}

void Errands::run(const std::stop_token& stop) {
  auto poller = io::Poller::create();
  RT_CHECK(poller.has_value());
  RT_CHECK(poller->watch(own_.fd(), 0, io::Interest::read).has_value());
  std::array<io::Ready, 1> ready;
  const SystemClock clock;
  while (!stop.stop_requested()) {
    poller->wait(ready, std::nullopt, clock.now());
    own_.answer();
    Errand errand;
    while (!stop.stop_requested() && waiting_.pop(errand)) {
      errand.work();
      RT_CHECK(done_.push(std::move(errand)));
      hub_.ring();
    }
  }
}

}  // namespace rt::server

#include "server/topic_publisher.h"

#include <array>

#include "base/clock.h"
#include "io/poller.h"

namespace rt::server {

Result<std::unique_ptr<TopicPublisher>> TopicPublisher::start(Send send, io::Wakeup& hub) {
  std::unique_ptr<TopicPublisher> publisher(
      new TopicPublisher(std::move(send), hub, RT_TRY(io::Wakeup::create())));
  publisher->thread_ =
      std::jthread([self = publisher.get()](const std::stop_token& stop) { self->run(stop); });
  return publisher;
}

TopicPublisher::~TopicPublisher() {
  thread_.request_stop();
  own_.ring();
}

bool TopicPublisher::submit(Job&& job) {
  if (outstanding_ == kQueueMax || !jobs_.push(std::move(job))) return false;
  ++outstanding_;
  own_.ring();
  return true;
}

bool TopicPublisher::take_done(Job& job) {
  if (!done_.pop(job)) return false;
  --outstanding_;
  return true;
}

void TopicPublisher::run(const std::stop_token& stop) {
  auto poller = io::Poller::create();
  RT_CHECK(poller.has_value());
  RT_CHECK(poller->watch(own_.fd(), 0, io::Interest::read).has_value());
  std::array<io::Ready, 1> ready;
  const SystemClock clock;
  while (!stop.stop_requested()) {
    poller->wait(ready, std::nullopt, clock.now());
    own_.answer();
    Job job;
    while (!stop.stop_requested() && jobs_.pop(job)) {
      job.outcome = send_(job.topic, job.data);
      RT_CHECK(done_.push(std::move(job)));
      hub_.ring();
    }
  }
}

}  // namespace rt::server

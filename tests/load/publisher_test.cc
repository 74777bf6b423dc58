#include "load/publisher.h"

#include <poll.h>

#include <catch2/catch.hpp>
#include <thread>

namespace {

using namespace std::chrono_literals;
using rt::EventProducer;
using rt::Publisher;
using rt::PublishSpec;

// Answers at once, but for what is about even topics; each time at the second try.
class HalfDeafProducer final : public EventProducer {
 public:
  rt::Result<void> prepare(std::uint32_t, const std::function<std::string(std::uint32_t)>&,
                           std::string_view) override {
    return {};
  }
  void send(std::uint64_t ticket, std::uint32_t topic, std::string_view) override {
    if (topic % 2 == 1) answers_.push_back({ticket, clock_.now(), true, 1});
  }
  rt::Result<void> turn(rt::Instant until, std::vector<Answer>& answers) override {
    answers.swap(answers_);
    answers_.clear();
    const timespec pause = rt::time_left(std::min(until, clock_.now() + 2ms), clock_.now());
    ::ppoll(nullptr, 0, &pause, nullptr);
    return {};
  }
  const std::string& first_failure() const override { return none_; }

 private:
  rt::SystemClock clock_;
  std::vector<Answer> answers_;
  std::string none_;
};

PublishSpec spec(std::uint32_t max_in_flight) {
  PublishSpec out;
  out.rate = {{0s, 1'000, 0s}};
  out.max_in_flight = max_in_flight;
  return out;
}

}  // namespace

TEST_CASE("publisher: an entry whose answers do not come holds back no other entry",
          "[load][publish]") {
  rt::PublisherPlan plan;
  plan.works.emplace_back(spec(5), 4, 7, 0, 2);
  plan.works.emplace_back(spec(50), 4, 7, 1, 2);
  plan.watchers = {1, 1, 1, 1};
  plan.max_in_flight = 55;
  HalfDeafProducer producer;
  const rt::SystemClock clock;
  Publisher publisher(plan, producer, clock);
  const rt::Instant zero = clock.now();
  publisher.begin(zero, 0);
  publisher.end(zero + 300ms);
  std::thread thread([&] { publisher.run(); });
  rt::PublisherStatus status;
  const rt::Instant deadline = clock.now() + 10s;
  while ((status.offered < 600 || status.acknowledged < 300) && clock.now() < deadline) {
    ::poll(nullptr, 0, 5);
    while (publisher.take(status)) {
    }
  }
  publisher.finish();
  thread.join();
  const rt::PhaseOutcome& phase = publisher.phases().front();
  CHECK(phase.offered == 600);
  CHECK(phase.acknowledged == 300);
  CHECK(phase.retried == 300);  // and nothing is offered, sent or due more often for it
  // Of those that were taken, and of those whose answer is lost: they may arrive all the same.
  CHECK(status.due == 300 + status.failed);
  // Five wait for their answers; when the table of those under way goes round, they are given up.
  CHECK(phase.sent >= 305);
  CHECK(phase.sent < 340);
  CHECK(phase.publish_failed == phase.sent - 300);
  CHECK(phase.skipped == 600 - phase.sent);
  CHECK(phase.skipped_by_target == phase.skipped);
}

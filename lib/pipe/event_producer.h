// Where published events go: a row change, a POST. Open loop: sending never waits for an answer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace rt {

// One thread.
class EventProducer {
 public:
  struct Answer {
    std::uint64_t ticket = 0;  // of the send() it answers
    Instant at{};
    bool accepted = false;      // committed, or answered with success
    std::uint32_t retries = 0;  // how often it was sent again
  };

  virtual ~EventProducer() = default;

  // Before the first send(): makes the topics exist, each in the state `initial`. Returns when a
  // subscriber may ask for them.
  virtual Result<void> prepare(std::uint32_t topics,
                               const std::function<std::string(std::uint32_t)>& name_of,
                               std::string_view initial) = 0;

  // Takes one event; what is sent for one topic takes effect in that order. The payload is a JSON
  // object. Does not block and does not fail: a lost peer shows in turn().
  virtual void send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) = 0;

  // Sends what is pending and collects answers until `until` (at least once, without waiting if it
  // has passed; it may return earlier when answers came). An error means that the peer is lost for
  // good and that no further answer will come.
  virtual Result<void> turn(Instant until, std::vector<Answer>& answers) = 0;

  // Why the first event that was not accepted was not; empty if all were.
  virtual const std::string& first_failure() const = 0;
};

// For ppoll(): until that instant, or not at all.
inline timespec time_left(Instant until, Instant now) {
  const Duration left = std::max(until - now, Duration::zero());
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
  return {static_cast<time_t>(whole.count()), static_cast<long>((left - whole).count())};
}

}  // namespace rt

// A clock that moves only when a test says so, for servers with threads of their own: what waits
// for a time limit neither slows a test down nor fails it on a slow machine. Thread-safe.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace rt::test {

class JumpClock final : public Clock {
 public:
  Instant now() const override { return Instant(std::chrono::seconds(1'000) + passed()); }
  WallTime wall() const override {
    return WallTime(std::chrono::seconds(1'700'000'000)) +
           std::chrono::duration_cast<std::chrono::microseconds>(passed());
  }
  void jump(Duration by) { passed_ns_ += by.count(); }

 private:
  Duration passed() const { return Duration(passed_ns_.load()); }

  std::atomic<std::int64_t> passed_ns_{0};
};

}  // namespace rt::test

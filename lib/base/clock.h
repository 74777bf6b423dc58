// Time, injected. Only the Clock reads the operating system; everything else is told what time it
// is.
#pragma once

#include <chrono>
#include <cstdint>

namespace rt {

using Duration = std::chrono::nanoseconds;
// A point on the monotonic clock (CLOCK_MONOTONIC). Comparable inside one host only.
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;
// A date: microseconds since 1970-01-01 00:00 UTC (CLOCK_REALTIME).
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall() const = 0;
};

// The machine's clocks. Thread-safe.
class SystemClock final : public Clock {
 public:
  Instant now() const override;
  WallTime wall() const override;
};

// Stands still until told otherwise; for tests. One thread.
class ManualClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  WallTime wall() const override { return wall_; }
  void advance(Duration by) {
    now_ += by;
    wall_ += std::chrono::duration_cast<std::chrono::microseconds>(by);
  }

 private:
  Instant now_{std::chrono::seconds(1'000)};
  WallTime wall_{std::chrono::seconds(1'700'000'000)};
};

// Where four bytes must do: goes round every 49 days, so that only near ones can be compared, by
// the sign of their difference.
inline std::uint32_t steady_ms(Instant t) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch());
  return static_cast<std::uint32_t>(ms.count());
}

// PostgreSQL counts microseconds from 2000-01-01 00:00 UTC.
inline constexpr std::int64_t kPostgresEpochOffsetUs = 946'684'800'000'000;

inline std::int64_t unix_us(WallTime t) {
  return t.time_since_epoch().count();
}
inline WallTime from_unix_us(std::int64_t us) {
  return WallTime(std::chrono::microseconds(us));
}

}  // namespace rt

// How fast events of each kind come: totals, rates over the last second and the last ten, ages.
// Pure: time is an argument. One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"

namespace rt::rtctl {

struct RateRow {
  std::string key;
  std::uint64_t events = 0;  // since the start
  double per_s = 0;          // in the last whole second
  double per_s_10 = 0;       // in the last ten of them
  double bytes_per_s = 0;    // of data, in the last ten
  std::optional<double> age_p50_ms;
  std::optional<double> age_p95_ms;
  Duration silent{};  // since the last one
};

class StreamRates {
 public:
  explicit StreamRates(Instant start) : start_(start) {}

  void count(std::string_view key, std::size_t bytes, std::optional<double> age_ms, Instant now);
  // The fastest first; equals by name.
  std::vector<RateRow> rows(Instant now) const;
  // All keys together; its key is empty.
  RateRow total(Instant now) const;

 private:
  // Whole seconds that are looked back on, and the one under way.
  static constexpr std::size_t kSeconds = 11;
  // Of the newest events of a key: p95 then stands on 12 of them.
  static constexpr std::size_t kAges = 256;
  // A screen shows dozens; an unbounded pointer (an id) must not fill the memory.
  static constexpr std::size_t kKeysMax = 1000;

  struct Second {
    std::int64_t number = -1;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
  };
  struct Track {
    std::uint64_t events = 0;
    std::array<Second, kSeconds> seconds;
    std::vector<float> ages_ms;  // a ring once it is full
    Instant last{};
    void count(std::int64_t second, std::size_t bytes, std::optional<double> age_ms, Instant now);
  };
  std::int64_t second_of(Instant now) const;
  RateRow row(const std::string& key, const Track& track, Instant now) const;

  Instant start_;
  std::unordered_map<std::string, Track> tracks_;
  Track total_;
};

}  // namespace rt::rtctl

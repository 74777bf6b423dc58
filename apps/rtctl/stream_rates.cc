#include "rtctl/stream_rates.h"

#include <algorithm>
#include <cmath>

namespace rt::rtctl {
namespace {

// The nearest rank; `share` from 0 to 1.
double quantile(std::vector<float> values, double share) {
  const double rank = std::ceil(share * static_cast<double>(values.size()));
  const auto at = static_cast<std::ptrdiff_t>(std::max(rank - 1, 0.0));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return static_cast<double>(values[static_cast<std::size_t>(at)]);
}

}  // namespace

void StreamRates::Track::count(std::int64_t second, std::size_t bytes, std::optional<double> age_ms,
                               Instant now) {
  Second& slot = seconds[static_cast<std::size_t>(second) % kSeconds];
  if (slot.number != second) slot = {second, 0, 0};
  ++slot.events;
  slot.bytes += bytes;
  if (age_ms && ages_ms.size() < kAges) {
    ages_ms.push_back(static_cast<float>(*age_ms));
  } else if (age_ms) {
    ages_ms[events % kAges] = static_cast<float>(*age_ms);
  }
  ++events;
  last = now;
}

void StreamRates::count(std::string_view key, std::size_t bytes, std::optional<double> age_ms,
                        Instant now) {
  const std::int64_t second = second_of(now);
  std::string name(key);
  if (tracks_.size() >= kKeysMax && tracks_.count(name) == 0) name = "(others)";
  tracks_[name].count(second, bytes, age_ms, now);
  total_.count(second, bytes, age_ms, now);
}

std::int64_t StreamRates::second_of(Instant now) const {
  return std::max<std::int64_t>(std::chrono::floor<std::chrono::seconds>(now - start_).count(), 0);
}

RateRow StreamRates::row(const std::string& key, const Track& track, Instant now) const {
  const std::int64_t current = second_of(now);
  RateRow row;
  row.key = key;
  row.events = track.events;
  row.silent = now - track.last;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  for (const Second& second : track.seconds) {
    if (second.number < 0 || second.number >= current || second.number < current - 10) continue;
    events += second.events;
    bytes += second.bytes;
    if (second.number == current - 1) row.per_s = static_cast<double>(second.events);
  }
  const auto looked_back = static_cast<double>(std::clamp<std::int64_t>(current, 1, 10));
  row.per_s_10 = static_cast<double>(events) / looked_back;
  row.bytes_per_s = static_cast<double>(bytes) / looked_back;
  if (!track.ages_ms.empty()) {
    row.age_p50_ms = quantile(track.ages_ms, 0.5);
    row.age_p95_ms = quantile(track.ages_ms, 0.95);
  }
  return row;
}

std::vector<RateRow> StreamRates::rows(Instant now) const {
  std::vector<RateRow> rows;
  rows.reserve(tracks_.size());
  for (const auto& [key, track] : tracks_) rows.push_back(row(key, track, now));
  std::sort(rows.begin(), rows.end(), [](const RateRow& a, const RateRow& b) {
    if (a.per_s != b.per_s) return a.per_s > b.per_s;
    if (a.per_s_10 != b.per_s_10) return a.per_s_10 > b.per_s_10;
    return a.key < b.key;
  });
  return rows;
}

RateRow StreamRates::total(Instant now) const {
  return row({}, total_, now);
}

}  // namespace rt::rtctl

// rtreplay play --dry-run: what a replay would send and how long it would take, from the recording
// alone. Nothing is connected.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipe/archive_source.h"

namespace rt::rtreplay {

struct TableForecast {
  std::uint64_t inserts = 0, updates = 0, deletes = 0, truncates = 0;
  // Updates and deletes that no key says the row of: found by all of its columns.
  std::uint64_t without_key = 0;
  // Updates with large values that were not sent and are not in the old row either.
  std::uint64_t unchanged = 0;
};

struct Forecast {
  std::uint64_t transactions = 0;
  std::uint64_t rows = 0;
  std::uint64_t events = 0;
  std::uint64_t snapshot_rows = 0;
  std::uint64_t largest_rows = 0;   // of one transaction
  std::uint64_t largest_bytes = 0;  // of the messages of one transaction
  std::uint64_t out_of_order = 0;   // commit times before an earlier transaction's
  Duration recorded{0};             // from the first event to the last, --max-gap applied
  Duration span{0};                 // as it was
  Duration longest_pause{0};
  std::map<std::string, TableForecast> tables;  // by name
  std::vector<std::string> gaps;
};

// Code::integrity where the recording is damaged, as a replay would end there.
Result<Forecast> forecast(const ArchiveSourceOptions& options);
// Lines for a person; speed kMaxSpeed: as fast as the target takes it.
std::string forecast_text(const Forecast& forecast, const std::string& path, double speed);

}  // namespace rt::rtreplay

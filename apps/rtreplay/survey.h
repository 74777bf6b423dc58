// What is in a recording, counted: the content of `rtreplay info` and of a dry run.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "archive/reader.h"

namespace rt::rtreplay {

struct Survey {
  archive::SegmentHeader header;
  std::size_t segments = 0;
  std::size_t blocks = 0;
  std::uint64_t transactions = 0;
  std::uint64_t rows = 0;    // of committed transactions
  std::uint64_t events = 0;  // SSE, NOTIFY
  std::uint64_t snapshot_rows = 0;
  struct Prepared {  // transactions that were prepared, and how they ended
    std::uint64_t all = 0;
    std::uint64_t committed = 0;
    std::uint64_t rolled_back = 0;
    std::uint64_t waiting() const { return all - committed - rolled_back; }
  };
  Prepared prepared;
  std::uint64_t abandoned = 0;     // transactions that were cut off
  std::uint64_t largest_rows = 0;  // in one transaction
  std::uint64_t file_bytes = 0;
  std::uint64_t raw_bytes = 0;
  std::int64_t first_us = 0;  // Unix us of the first and last event; 0 if there is none
  std::int64_t last_us = 0;
  std::string first_id;
  std::string last_id;
  std::map<std::string, archive::RelationCounts> relations;  // by name
  std::vector<std::string> gaps;                             // reasons
  std::vector<std::int64_t> gap_times_us;                    // the stream's clock at each
  // Transactions by size: [i] had from 2^i to 2^(i+1) - 1 rows.
  std::array<std::uint64_t, 33> sizes{};
  std::vector<archive::Marker> marks;
  std::vector<std::uint32_t> rate;  // rows and events in equal slices of the span
  bool closed = false;              // the last segment ends with its footer
  std::vector<std::string> damages;

  double span_s() const { return static_cast<double>(last_us - first_us) / 1e6; }
};

// Reads the whole recording once (some millions of rows a second), past damage.
Result<Survey> survey(const std::string& path);

}  // namespace rt::rtreplay

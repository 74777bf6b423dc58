// Runs as the Go service of Trigger.dev sends them, for clients written against it: decimal ids
// from one sequence of the process, `delta` with the whole run, a deleted run as one whose status
// is "deleted". Differs from it where it is broken: times and tags are read as PostgreSQL writes
// them, JSON is not escaped for HTML. One thread (the hub's).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/pgoutput.h"
#include "server/run_table.h"

namespace rt::server {

class RunGoFrames {
 public:
  // The run in this slot of the store is new or has changed: it gets the next number.
  void number(std::uint32_t slot);
  // Whole frames, with the run's last number as id and `seq`. The row has no unchanged values.
  void append_initial(std::string& out, const RunTable& table, pgoutput::TupleView row,
                      std::uint32_t slot) const;
  void append_delta(std::string& out, const RunTable& table, pgoutput::TupleView row,
                    std::uint32_t slot) const;
  void append_deletion(std::string& out, const RunTable& table, pgoutput::TupleView row,
                       std::uint32_t slot) const;

 private:
  std::uint64_t last_ = 0;
  std::vector<std::uint64_t> by_slot_;  // 8 bytes a run, of this mode alone
};

// The head of its event streams.
inline constexpr std::string_view kGoStreamHead =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: text/event-stream\r\n"
    "Cache-Control: no-cache\r\n"
    "Connection: keep-alive\r\n"
    "Access-Control-Allow-Origin: *\r\n"
    "Access-Control-Allow-Headers: Last-Event-Id\r\n"
    "\r\n";
// Its refusals, 400 and 429.
inline constexpr std::string_view kGoInvalidFilter = "Invalid filter\n";
inline constexpr std::string_view kGoTooMany = "Too many concurrent connections\n";

}  // namespace rt::server

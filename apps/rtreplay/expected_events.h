// What a subscriber should have received, from a recording: three readings of the same archive.
// One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/reader.h"
#include "base/result.h"
#include "pipe/archive_source.h"
#include "rtreplay/delivery_judge.h"
#include "rtreplay/received_log.h"

namespace rt::rtreplay {

struct Expectation {
  std::string archive;
  archive::OnDamage on_damage = archive::OnDamage::strict;
  std::optional<ArchiveBound> from;  // outside of both nothing is missing
  std::optional<ArchiveBound> to;
  std::string run_id;  // what the subscriber asked for; empty: everything
  std::string env_id;
  std::vector<std::string> tags;
  bool all_tags = false;
  std::vector<std::string> tables;
};

class ExpectedEvents {
 public:
  virtual ~ExpectedEvents() = default;
  // In stream order; false at the end. Code::integrity where the recording is damaged.
  virtual Result<bool> next(ExpectedEvent& event) = 0;
  // The same of the other side. Nothing if it is no event of this stream (a keepalive).
  virtual std::optional<ReceivedEvent> received(const LoggedRecord& record) const = 0;
  virtual DeliveryJudge::Options judge_options() const = 0;
};

// How the log was made.
enum class Surface : std::uint8_t {
  runs,    // rtctl sub runs: initial and delta of the runs table
  rows,    // rtctl sub wal: an event for each row change
  events,  // an SSE stream, NOTIFY or Redis, recorded as they are
};
Result<std::unique_ptr<ExpectedEvents>> expected_events(Surface surface,
                                                        const Expectation& expectation);

// Opened for reading whole transactions.
Result<archive::Reader> open_expected(const Expectation& expectation);
// Whether what stands at `entry` is asked for by `from` and `to`.
bool is_in_bounds(const archive::Entry& entry, const Expectation& expectation);
std::string last_recorded_id(const archive::Reader& reader);
// A line of the log as an event; topic: where it came from, empty where the stream is but one.
ReceivedEvent received_event(const LoggedRecord& record, std::string_view topic);

Result<std::unique_ptr<ExpectedEvents>> expected_runs(const Expectation& expectation);
Result<std::unique_ptr<ExpectedEvents>> expected_rows(const Expectation& expectation);
Result<std::unique_ptr<ExpectedEvents>> expected_recorded(const Expectation& expectation);

}  // namespace rt::rtreplay

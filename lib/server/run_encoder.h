// One row change of the runs table to the event its subscribers see. Scratch buffers are reused, so
// a change costs one allocation: its EventBlock. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/position.h"
#include "proto/pgoutput.h"
#include "server/event_block.h"
#include "server/run_go_frames.h"
#include "server/run_table.h"

namespace rt::server {

class RunEncoder {
 public:
  // go: who numbers runs and writes frames as the Go service does; or null. Outlives this.
  explicit RunEncoder(RunGoFrames* go = nullptr) : go_(go) {}

  // The place of a change in its stream.
  struct At {
    Position position;
    // The id its frames carry: the position, but where one change is more than one event (TRUNCATE,
    // a new primary key) all but the last carry the position before: who resumes from there sees
    // all.
    Position frame_id;
    std::int64_t commit_us = 0;
    std::uint32_t run = 0;  // slot in the store
  };

  // First: reads what filters ask about. before: the old row, or nothing if the run is new; after:
  // the new row without unchanged values, or nothing if it is gone. At least one is given. Both
  // must stay valid until encode().
  void read(const RunTable& table, std::optional<pgoutput::TupleView> before,
            std::optional<pgoutput::TupleView> after);
  const OwnedRunFacts& facts_before() const { return facts_before_; }
  const OwnedRunFacts& facts_after() const { return facts_after_; }
  // Then: the event.
  EventRef encode(const At& at);

 private:
  void write_frames(const At& at, bool membership_changed);
  void write_go_frames(const At& at, bool membership_changed);

  RunGoFrames* go_;
  const RunTable* table_ = nullptr;
  std::optional<pgoutput::TupleView> before_;
  std::optional<pgoutput::TupleView> after_;
  OwnedRunFacts facts_before_;
  OwnedRunFacts facts_after_;
  std::vector<std::uint64_t> keys_;
  std::string initial_;
  std::string delta_;
  std::string left_;
};

// "id: <position>\nevent: <name>\ndata: "; then comes one line of JSON and a blank line.
void append_frame_head(std::string& out, const Position& position, std::string_view name);
inline constexpr std::string_view kFrameEnd = "\n\n";
// Where the position stands in a frame, for replacing it.
inline constexpr std::size_t kFrameIdOffset = 4;

}  // namespace rt::server

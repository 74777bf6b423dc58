// Records as lines: one row change a line, as NDJSON or for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "archive/stream_tracker.h"
#include "base/position.h"
#include "base/record.h"
#include "proto/pgoutput.h"
#include "rtreplay/row_line.h"

namespace rt::rtreplay {

enum class LineFormat : std::uint8_t { ndjson, text };

// One thread.
class RecordPrinter {
 public:
  RecordPrinter(LineFormat format, bool snapshot_rows)
      : format_(format), snapshot_rows_(snapshot_rows) {}

  // Appends the lines of a record, none for most kinds. `position` is where it stands.
  void print(const RecordView& record, const Position& position, std::string& out);

  std::uint64_t lines() const { return lines_; }
  std::uint64_t undecodable() const { return undecodable_; }  // rows without a line

 private:
  void set_transaction(std::int64_t time_us, std::uint32_t xid);
  void print_wal(const RecordView& record, const Position& position, std::string& out);
  void print_row(const RowChange& row, const Position& position, std::string& out);
  void row_as_text(const RowChange& row, const Position& position, std::string& out);
  void print_truncate(const pgoutput::Truncate& truncate, const Position& position,
                      std::string& out);
  void print_snapshot_row(const RecordView& record, std::string& out);
  // What is shown of an event, a gap or a mark. Views live until the next call.
  struct EventLine {
    std::string_view type;
    std::string_view id;
    std::string_view name;  // of an event, or its channel
    std::string_view text;
  };
  EventLine event_line(const RecordView& record);
  void print_two_phase(const RecordView& record, std::string& out);
  void print_event(const RecordView& record, std::string& out);

  LineFormat format_;
  bool snapshot_rows_;
  RowLayouts layouts_;
  std::uint32_t xid_ = 0;
  std::string time_;         // of the open transaction's commit
  std::string transaction_;  // what its lines share
  std::uint64_t lines_ = 0;
  std::uint64_t undecodable_ = 0;
  std::string scratch_;
};

}  // namespace rt::rtreplay

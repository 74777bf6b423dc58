// Other positions and times for records: what a recording says of one place is said of another, in
// the messages themselves, so that every sink sees nothing else. Pure; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/record.h"

namespace rt {

class RecordStamp {
 public:
  struct Rules {
    std::function<std::uint64_t(std::uint64_t)> lsn;        // of one that is not 0
    std::function<std::string(std::string_view)> event_id;  // of an event's own id, if it has one
    std::int64_t later_us = 0;
  };
  explicit RecordStamp(Rules rules) : rules_(std::move(rules)) {}

  // The record as it goes on; its body may be in our memory until the next call.
  RecordView apply(const RecordView& record);

 private:
  void move_lsn(std::size_t offset);
  void move_time(std::size_t offset);
  bool stamp_wal(std::string_view body);
  bool stamp_event(const RecordView& record);

  Rules rules_;
  std::string body_;
};

// Round `round` (from 0) of a recording that is played over and over: LSNs are raised by
// round * stride_lsn, times by round * stride_us. The id of a foreign event, which cannot be
// raised, is told apart by "~2" in the second round.
RecordStamp round_stamp(std::uint32_t round, std::uint64_t stride_lsn, std::int64_t stride_us);

// `--ids fresh`: each transaction, and each event with an id, gets the next one. Ids are
// microseconds of the wall clock, or one more than the last: they rise from run to run.
class FreshIds {
 public:
  explicit FreshIds(const Clock& clock);  // must outlive it
  FreshIds(const FreshIds&) = delete;
  FreshIds& operator=(const FreshIds&) = delete;
  RecordView apply(const RecordView& record);

 private:
  std::uint64_t next();

  const Clock& clock_;
  std::uint64_t last_ = 0;
  RecordStamp stamp_;
};

}  // namespace rt

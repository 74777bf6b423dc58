// One pass over a recording: what ArchiveSource does, record by record. One thread.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>

#include "pipe/archive_source.h"
#include "pipe/break_watch.h"
#include "pipe/record_stamp.h"
#include "pipe/steering.h"

namespace rt {

class ArchiveSource::Player {
 public:
  // round: from 0. `steering` if somebody steers.
  Player(ArchiveSource& source, archive::Reader& reader, const std::stop_token& stop,
         const Take& take, Steering* steering);

  // From where the reader stands. Records are stamped with `stamp`, if there is one.
  Result<void> pass(RecordStamp* stamp);

 private:
  // What becomes of the record that was read.
  enum class Turn : std::uint8_t {
    play,
    leave_out,  // another one is next
    end,
  };
  void follow(const RecordView& record);
  Result<Turn> turn_of(const archive::Entry& entry);
  Result<std::optional<Turn>> steered_turn(const archive::Entry& entry, bool unit);
  Result<bool> meets_break(const archive::Entry& entry);
  bool too_late(Instant due, Instant now);
  Result<void> drop_late(const archive::Entry& entry);
  Result<void> begin(const archive::Entry& entry);
  Result<void> place(std::optional<Instant> due);
  Result<Turn> after(const archive::Entry& entry);
  void append(const RecordView& record);
  Result<void> hand_over();
  void take_command();
  void tell();
  void wait_until(Instant due, bool for_commands);
  void count(const archive::Entry& entry);

  ArchiveSource& source_;
  const ArchiveSourceOptions& options_;
  archive::Reader& reader_;
  const std::stop_token& stop_;
  const Take& take_;
  Steering* steering_;
  RecordStamp* stamp_ = nullptr;
  std::optional<BreakWatch> breaks_;
  bool watched_;  // units are looked at one by one
  RecordBatch batch_;
  std::optional<Instant> due_;  // of the batch; none: lateness says nothing about it
  Instant now_{};
  Instant told_{};
  bool open_ = false;      // a transaction, behind the record at hand
  bool inside_ = false;    // .. and before it
  bool dropping_ = false;  // a unit that is too late
  bool last_ = false;      // the unit at hand is the last
  bool begun_ = false;
  bool has_state_ = false;
  std::mutex mutex_;
  std::condition_variable_any wake_;
};

}  // namespace rt

// What a replay does with what comes next, while somebody steers it. It goes on and stops between
// units: a unit is a transaction, or an event outside of any. Sans-IO; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "archive/reader.h"
#include "pipe/pacer.h"
#include "pipe/play_control.h"

namespace rt {

class Steering {
 public:
  struct Limits {
    // The target holds what was played: on the way forward nothing may be left out.
    bool keeps_state = false;
    bool takes_rows = true;  // one by one; else a transaction is one thing
    // Where the recording ends; 0: not known.
    std::uint64_t end_lsn = 0;
    std::int64_t end_us = 0;
  };
  enum class Go : std::uint8_t {
    paced,    // when it is due
    at_once,  // now, and lateness says nothing
    held,     // not before the next command
    skipped,  // the target() is next
    quit,
  };

  Steering(Pacer& pacer, const Limits& limits) : pacer_(pacer), limits_(limits) {}

  // What a person is to be told, if anything.
  std::string take(const PlayCommand& command);
  // Of the unit that `first` begins.
  Go next(const archive::Entry& first, Instant now);
  // Inside a unit: after a step of one row it waits there.
  bool holds_inside() const { return inside_; }
  bool quits() const { return quit_; }
  // A step or a skip is not done yet: the next command waits for it. A way that is played does not.
  bool is_busy() const {
    return step_ != Step::none || (target_.has_value() && !limits_.keeps_state);
  }

  void pause(Instant now);
  void row_played();
  void unit_played(const archive::Entry& last);

  // The recording begins again: nothing of it lies behind.
  void start_over() { last_.reset(); }

  const ArchiveBound& target() const { return *target_; }
  bool paused() const { return paused_; }
  bool hurrying() const { return target_.has_value(); }

 private:
  enum class Step : std::uint8_t { none, unit, row };
  void resume(Instant now);
  void set_speed(PlayCommand::Kind kind, Instant now);
  std::string seek(const ArchiveBound& to);
  Go at_once(const archive::Entry& first, Instant now);

  Pacer& pacer_;
  Limits limits_;
  bool paused_ = false;
  bool inside_ = false;
  bool quit_ = false;
  Step step_ = Step::none;
  std::optional<ArchiveBound> target_;
  std::optional<archive::Entry> last_;  // without its body
};

}  // namespace rt

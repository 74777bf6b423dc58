#include "pipe/steering.h"

#include <algorithm>

namespace rt {
namespace {

// Above it a replay is only as fast as its target.
constexpr double kFastest = 64;
constexpr double kSlowest = 1.0 / 64;

bool is_behind(const ArchiveBound& place, std::uint64_t lsn, std::int64_t us) {
  if (const auto* position = std::get_if<Position>(&place.at)) return position->lsn > lsn;
  return unix_us(std::get<WallTime>(place.at)) > us;
}

}  // namespace

std::string Steering::take(const PlayCommand& command) {
  using Kind = PlayCommand::Kind;
  switch (command.kind) {
    case Kind::pause_or_resume:
      paused_ ? resume(command.at) : pause(command.at);
      return {};
    case Kind::pause:
      pause(command.at);
      return {};
    case Kind::resume:
      resume(command.at);
      return {};
    case Kind::step:
    case Kind::step_row:
      if (command.kind == Kind::step_row && !limits_.takes_rows) {
        return "this target takes whole transactions: s steps one";
      }
      pause(command.at);
      step_ = command.kind == Kind::step ? Step::unit : Step::row;
      return {};
    case Kind::faster:
    case Kind::slower:
    case Kind::normal_speed:
      set_speed(command.kind, command.at);
      return {};
    case Kind::seek:
      return seek(*command.to);
    case Kind::quit:
      quit_ = true;
      return {};
  }
  return {};
}

void Steering::pause(Instant now) {
  if (!paused_) pacer_.pause(now);
  paused_ = true;
  inside_ = false;
  step_ = Step::none;
  target_.reset();
}

void Steering::resume(Instant now) {
  if (paused_) pacer_.resume(now);
  paused_ = false;
  inside_ = false;
  step_ = Step::none;
}

void Steering::set_speed(PlayCommand::Kind kind, Instant now) {
  const double speed = pacer_.speed();
  if (kind == PlayCommand::Kind::normal_speed) {
    pacer_.set_speed(1, now);
  } else if (kind == PlayCommand::Kind::faster) {
    pacer_.set_speed(speed * 2 > kFastest ? kMaxSpeed : speed * 2, now);
  } else {
    pacer_.set_speed(speed == kMaxSpeed ? kFastest : std::max(speed / 2, kSlowest), now);
  }
}

std::string Steering::seek(const ArchiveBound& to) {
  if (last_ && to.is_reached_by(*last_)) {
    return "that place lies behind: a replay goes forward only (quit, and play --from it)";
  }
  if (limits_.end_us != 0 && is_behind(to, limits_.end_lsn, limits_.end_us)) {
    return "that place lies behind the end of the recording";
  }
  target_ = to;
  inside_ = false;
  return {};
}

Steering::Go Steering::next(const archive::Entry& first, Instant now) {
  if (quit_) return Go::quit;
  if (target_) {
    if (!target_->is_reached_by(first)) {
      return limits_.keeps_state ? at_once(first, now) : Go::skipped;
    }
    target_.reset();
    pacer_.due(first.t_hi, now);
    pacer_.continue_from(now);
  }
  if (step_ != Step::none) return at_once(first, now);
  return paused_ ? Go::held : Go::paced;
}

// The rest of the unit is due with it.
Steering::Go Steering::at_once(const archive::Entry& first, Instant now) {
  pacer_.due(first.t_hi, now);
  pacer_.hurry(now);
  return Go::at_once;
}

void Steering::row_played() {
  if (step_ != Step::row) return;
  step_ = Step::none;
  inside_ = true;
}

void Steering::unit_played(const archive::Entry& last) {
  last_ = last;
  last_->record = {};
  inside_ = false;
  // A step of one row goes on from the end of a transaction to the next one's first.
  const bool is_commit = last.record.kind == RecordKind::wal && !last.record.body.empty() &&
                         last.record.body.front() == 'C';
  if (step_ == Step::unit || (step_ == Step::row && !is_commit)) step_ = Step::none;
}

}  // namespace rt

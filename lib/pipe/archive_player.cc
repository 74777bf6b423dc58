#include "pipe/archive_player.h"

#include "archive/bodies.h"

namespace rt {
namespace {

// Batches as large as a block at most: more would only delay the first of them.
constexpr std::size_t kBatchBytes = 256 * 1024;
constexpr std::size_t kBatchRecords = 4096;
// Events due this soon are handed on together with those that are due: waking up costs as much.
constexpr Duration kCoalesce = std::chrono::microseconds(50);
// How often a person is told where the replay is.
constexpr Duration kTellEvery = std::chrono::milliseconds(100);

void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

}  // namespace

ArchiveSource::Player::Player(ArchiveSource& source, archive::Reader& reader,
                              const std::stop_token& stop, const Take& take, Steering* steering)
    : source_(source),
      options_(source.options_),
      reader_(reader),
      stop_(stop),
      take_(take),
      steering_(steering),
      watched_(steering != nullptr || !options_.breaks.empty() || options_.break_row ||
               options_.last_row || options_.late != LatePolicy::send) {}

Result<void> ArchiveSource::Player::pass(RecordStamp* stamp) {
  stamp_ = stamp;
  const bool unhindered = !watched_ && !source_.pacer_.paced();
  archive::Entry entry;
  while (!stop_.stop_requested()) {
    auto more = reader_.next(entry);
    if (!more) {
      RT_CHECKED(hand_over());
      return fail(std::move(more).error());
    }
    if (!*more || is_past_end(entry, options_)) break;
    if (entry.t_hi != 0 && !entry.record.prelude && !begun_) RT_CHECKED(begin(entry));
    if (unhindered) {
      if (begun_) source_.pacer_.due(entry.t_hi, now_);
      RT_CHECKED(place(std::nullopt));
    } else {
      follow(entry.record);
      const Turn turn = RT_TRY(turn_of(entry));
      if (turn == Turn::end) break;
      if (turn == Turn::leave_out) continue;
    }
    append(entry.record);
    count(entry);
    if (watched_ && RT_TRY(after(entry)) == Turn::end) break;
  }
  return hand_over();
}

// Not the reader's tracker: behind a seek it has seen what was not handed out.
void ArchiveSource::Player::follow(const RecordView& record) {
  inside_ = open_;
  if (record.prelude || record.kind != RecordKind::wal) return;
  const char letter = archive::wal_letter(record.body);
  if (letter == 'B') open_ = true;
  if (letter == 'C') open_ = false;
}

// Waits until the record may go.
Result<ArchiveSource::Player::Turn> ArchiveSource::Player::turn_of(const archive::Entry& entry) {
  const bool unit = watched_ && begun_ && !inside_ && starts_unit(entry.record);
  if (dropping_ && inside_) {
    RT_CHECKED(drop_late(entry));
    return Turn::leave_out;
  }
  dropping_ = false;
  if (unit && RT_TRY(meets_break(entry)) && steering_ == nullptr) {
    source_.broke_at_ = entry.position;
    return Turn::end;
  }
  while (!stop_.stop_requested()) {
    if (steering_ != nullptr && (unit || (inside_ && steering_->holds_inside()))) {
      if (const auto turn = RT_TRY(steered_turn(entry, unit))) return *turn;
    }
    // Before the first event (a snapshot, say) there is no time to keep.
    Pacer& pacer = source_.pacer_;
    const Instant now = pacer.paced() || batch_.empty() ? source_.clock_.now() : now_;
    Instant due = begun_ ? pacer.due(entry.t_hi, now) : now;
    if (pacer.paused() && !unit) due = now;  // it belongs to a unit that was let go
    now_ = now;
    if (due <= now + kCoalesce) {
      if (unit && too_late(due, now)) {
        if (options_.late == LatePolicy::skip) return Turn::leave_out;
        due = now;
      }
      RT_CHECKED(place(due));
      return Turn::play;
    }
    RT_CHECKED(hand_over());
    wait_until(due, unit);
  }
  return Turn::end;
}

// Nothing: it is played when it is due.
Result<std::optional<ArchiveSource::Player::Turn>> ArchiveSource::Player::steered_turn(
    const archive::Entry& entry, bool unit) {
  for (;;) {
    if (options_.control->pending() && !steering_->is_busy()) take_command();
    if (stop_.stop_requested() || steering_->quits()) {
      source_.quit_ = true;
      return Turn::end;
    }
    const auto go = unit                        ? steering_->next(entry, source_.clock_.now())
                    : steering_->holds_inside() ? Steering::Go::held
                                                : Steering::Go::at_once;
    switch (go) {
      case Steering::Go::paced:
        return std::optional<Turn>();
      case Steering::Go::at_once:
        RT_CHECKED(place(std::nullopt));
        return Turn::play;
      case Steering::Go::skipped:
        RT_CHECKED(hand_over());
        RT_CHECKED(go_to_start(reader_, steering_->target()));
        source_.pacer_.start_over();
        open_ = false;
        return Turn::leave_out;
      case Steering::Go::quit:
      case Steering::Go::held:
        RT_CHECKED(hand_over());
        tell();
        options_.control->wait(stop_, Instant::max());
    }
  }
}

Result<bool> ArchiveSource::Player::meets_break(const archive::Entry& entry) {
  if (options_.breaks.empty() && !options_.break_row) return false;
  if (!breaks_) {
    std::optional<archive::Reader> ahead;
    if (options_.break_row) {
      ahead = RT_TRY(source_.open_reader());
      RT_TRY(ahead->seek(Position{entry.position.lsn, 0}));
    }
    breaks_.emplace(options_.breaks, options_.break_row, std::move(ahead));
  }
  if (!RT_TRY(breaks_->meets(entry))) return false;
  if (steering_ != nullptr) {
    steering_->pause(source_.clock_.now());
    options_.control->say("break before " + entry.position.text());
  }
  return true;
}

// Beyond what waking up costs.
bool ArchiveSource::Player::too_late(Instant due, Instant now) {
  const Duration late = now - due;
  switch (options_.late) {
    case LatePolicy::send:
      return false;
    case LatePolicy::skip:
      dropping_ = late > options_.late_max;
      if (dropping_) add(source_.progress_.late_skipped, 1);
      return dropping_;
    case LatePolicy::stretch:
      if (late <= kCoalesce) return false;
      source_.stretched_ += late;
      source_.pacer_.continue_from(now);
      return true;
  }
  return false;
}

// What describes the rows that follow is not late.
Result<void> ArchiveSource::Player::drop_late(const archive::Entry& entry) {
  const char letter = archive::wal_letter(entry.record.body);
  if (entry.record.kind != RecordKind::wal || (letter != 'R' && letter != 'Y')) return {};
  RT_CHECKED(place(std::nullopt));
  RecordView record = entry.record;
  record.prelude = true;
  append(record);
  return {};
}

// The first event with a time is next.
Result<void> ArchiveSource::Player::begin(const archive::Entry& entry) {
  if (options_.complete_state && !has_state_) {
    const std::uint64_t lsn = entry.position.lsn;
    const std::string body = archive::encode_json(archive::SnapshotBegin{lsn, ""});
    const std::int64_t at = entry.record.received_us;
    append({RecordKind::snapshot_begin, false, lsn, at, body});
    append({RecordKind::snapshot_end, false, lsn, at, {}});
  }
  RT_CHECKED(hand_over());
  if (options_.before_first_event) options_.before_first_event(stop_);
  begun_ = true;
  now_ = source_.clock_.now();
  if (!source_.began_) source_.began_ = now_;
  return {};
}

// Makes room in the batch for a record that is due.
Result<void> ArchiveSource::Player::place(std::optional<Instant> due) {
  if (batch_.body_bytes() >= kBatchBytes || batch_.size() >= kBatchRecords) {
    RT_CHECKED(hand_over());
  }
  if (batch_.empty()) due_ = due;
  return {};
}

void ArchiveSource::Player::append(const RecordView& record) {
  batch_.append(stamp_ != nullptr ? stamp_->apply(record) : record);
}

Result<ArchiveSource::Player::Turn> ArchiveSource::Player::after(const archive::Entry& entry) {
  const RecordView& record = entry.record;
  if (options_.last_row && options_.last_row(record)) last_ = true;
  if (record.prelude || !begun_) return Turn::play;
  const char letter = record.kind == RecordKind::wal ? archive::wal_letter(record.body) : '\0';
  if (steering_ != nullptr && archive::is_row_letter(letter)) steering_->row_played();
  const bool ends = letter == 'C' || (!inside_ && letter != 'B' && starts_unit(record));
  if (!ends) return Turn::play;
  if (steering_ != nullptr) steering_->unit_played(entry);
  return last_ ? Turn::end : Turn::play;
}

Result<void> ArchiveSource::Player::hand_over() {
  if (batch_.empty()) return {};
  if (begun_ && due_ && source_.pacer_.paced()) {
    source_.pacer_.handed_on(*due_, source_.clock_.now());
  }
  RT_CHECKED(take_(batch_));
  batch_.clear();
  if (steering_ != nullptr && source_.clock_.now() >= told_ + kTellEvery) tell();
  return {};
}

// One at a time: three steps are three steps.
void ArchiveSource::Player::take_command() {
  const auto command = options_.control->take();
  if (!command) return;
  std::string answer = steering_->take(*command);
  if (!answer.empty()) options_.control->say(std::move(answer));
  tell();
}

void ArchiveSource::Player::tell() {
  told_ = source_.clock_.now();
  const Progress& progress = source_.progress_;
  PlayState state;
  state.paused = steering_->paused();
  state.hurrying = steering_->hurrying();
  state.speed = source_.pacer_.speed();
  state.position = reader_.tracker().position();
  state.t_us = progress.t_us.load(std::memory_order_relaxed);
  state.rows = progress.rows.load(std::memory_order_relaxed);
  state.late_p99 = source_.pacer_.lateness().quantile(0.99);
  options_.control->tell(state);
}

void ArchiveSource::Player::wait_until(Instant due, bool for_commands) {
  if (options_.wait) return options_.wait(due);
  if (for_commands && options_.control != nullptr) return options_.control->wait(stop_, due);
  std::unique_lock lock(mutex_);
  wake_.wait_until(lock, stop_, due, [] { return false; });
}

void ArchiveSource::Player::count(const archive::Entry& entry) {
  Progress& progress = source_.progress_;
  if (entry.record.prelude) return;
  if (entry.record.kind == RecordKind::snapshot_end) has_state_ = true;
  add(progress.records, 1);
  progress.t_us.store(entry.t_hi, std::memory_order_relaxed);
  if (entry.record.kind != RecordKind::wal) return;
  const char letter = archive::wal_letter(entry.record.body);
  add(progress.rows, archive::row_changes(entry.record.body));
  if (letter == 'C') add(progress.transactions, 1);
}

}  // namespace rt

// A recording as a source: its committed transactions and other records, at the pace they were
// recorded in, or at another.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "archive/reader.h"
#include "archive/recovery.h"
#include "base/clock.h"
#include "base/position.h"
#include "pipe/archive_bound.h"
#include "pipe/pacer.h"
#include "pipe/play_control.h"
#include "pipe/source.h"

namespace rt {

// What is done about an event that is due but was not sent in time.
enum class LatePolicy : std::uint8_t {
  send,     // it is sent at once; the schedule stays
  skip,     // it is left out if it is later than late_max, and counted
  stretch,  // the schedule moves behind as a whole
};

struct ArchiveSourceOptions {
  std::string path;
  PacerOptions pace;
  // Whole transactions: from that which holds `from` (or the first after it) to the last that
  // commits at or before `to`.
  std::optional<ArchiveBound> from;
  std::optional<ArchiveBound> to;
  // Everything up to here was taken by an earlier play. Not with `from`.
  std::optional<Position> resume;
  // 0: for ever. In each further round LSNs are higher by the recording's end LSN and times later
  // by its span, so that ids stay unique and rise.
  std::uint32_t loops = 1;
  LatePolicy late = LatePolicy::send;
  Duration late_max{0};  // of LatePolicy::skip
  archive::OnDamage on_damage = archive::OnDamage::strict;
  // For a server, which serves nobody before it has a complete state: where the recording has no
  // snapshot, an empty one comes before the first event.
  bool complete_state = false;
  // Called once a pass, on the thread of run(): what precedes the first event was taken, the
  // schedule has not begun. May wait; must return soon after a stop request.
  std::function<void(const std::stop_token&)> before_first_event;

  // Who steers, if anybody; must outlive the source.
  PlayControl* control = nullptr;
  bool target_keeps_state = false;  // on the way to a place nothing is left out
  bool target_takes_rows = true;    // a step may be one row
  // Before the first transaction or event at each of these places, and before a transaction with a
  // row for which break_row holds, the replay pauses; it ends there if nobody steers.
  std::vector<ArchiveBound> breaks;
  // Both see all records in order. The transaction with a row for which last_row holds is the last.
  std::function<bool(const RecordView&)> break_row;
  std::function<bool(const RecordView&)> last_row;
  // How to wait until an instant of a clock that is not the machine's; else it is waited for.
  std::function<void(Instant)> wait;
};

// Where a replay with these options begins and ends.
Result<void> go_to_start(archive::Reader& reader, const std::optional<ArchiveBound>& from);
bool is_past_end(const archive::Entry& entry, const ArchiveSourceOptions& options);

class ArchiveSource final : public Source {
 public:
  // The clock must outlive the source.
  ArchiveSource(ArchiveSourceOptions options, const Clock& clock);

  // Plays once per object. Damage ends it with Code::integrity after everything before it was
  // taken.
  Result<void> run(std::stop_token stop, const Take& take) override;

  // While it runs, from any thread.
  struct Progress {
    std::atomic<std::uint64_t> records{0};
    std::atomic<std::uint64_t> rows{0};
    std::atomic<std::uint64_t> transactions{0};
    std::atomic<std::int64_t> t_us{0};           // of the record taken last
    std::atomic<std::uint64_t> late_skipped{0};  // transactions and events
  };
  const Progress& progress() const { return progress_; }
  // After run(): how late batches were handed on, and how much recorded time they covered.
  const Pacer& pacer() const { return pacer_; }
  // How far LatePolicy::stretch moved the schedule.
  Duration stretched() const { return stretched_; }
  // The place before which a break ended it.
  const std::optional<Position>& broke_at() const { return broke_at_; }
  // Since its first event; zero before it.
  Duration playing_for(Instant now) const { return began_ ? now - *began_ : Duration::zero(); }

 private:
  class Player;
  struct Stride {  // from one round to the next
    std::uint64_t lsn = 0;
    std::int64_t us = 0;
  };
  Result<archive::Reader> open_reader() const;
  Result<Stride> find_stride(archive::Reader& reader) const;
  Result<std::uint32_t> go_to_first_round(archive::Reader& reader, const Stride& stride) const;

  ArchiveSourceOptions options_;
  const Clock& clock_;
  Pacer pacer_;
  std::optional<Instant> began_;
  std::optional<Position> broke_at_;
  Duration stretched_{0};
  bool quit_ = false;
  Progress progress_;
};

}  // namespace rt

// A recording as a source: its committed transactions and other records, at the pace they were
// recorded in, or at another.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "archive/reader.h"
#include "archive/recovery.h"
#include "base/clock.h"
#include "base/position.h"
#include "pipe/pacer.h"
#include "pipe/source.h"

namespace rt {

// A place in a recording as people write it.
struct ArchiveBound {
  std::variant<Position, WallTime> at;
  bool whole_transaction = false;  // an LSN: every row of it

  // An event id ("000000014D7E3B28-00000002"), an LSN ("1/4D7E3B28") or an RFC 3339 time.
  static Result<ArchiveBound> parse(std::string_view text);
};

struct ArchiveSourceOptions {
  std::string path;
  PacerOptions pace;
  // Whole transactions: from that which holds `from` (or the first after it) to the last that
  // commits at or before `to`.
  std::optional<ArchiveBound> from;
  std::optional<ArchiveBound> to;
  std::uint32_t loops = 1;  // 0: for ever
  archive::OnDamage on_damage = archive::OnDamage::strict;
  // For a server, which serves nobody before it has a complete state: where the recording has no
  // snapshot, an empty one comes before the first event.
  bool complete_state = false;
  // Called once a pass, on the thread of run(): what precedes the first event was taken, the
  // schedule has not begun. May wait; must return soon after a stop request.
  std::function<void(const std::stop_token&)> before_first_event;
};

// Where a replay with these options begins and ends.
Result<void> go_to_start(archive::Reader& reader, const ArchiveSourceOptions& options);
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
    std::atomic<std::int64_t> t_us{0};  // of the record taken last
  };
  const Progress& progress() const { return progress_; }
  // After run(): how late batches were handed on, and how much recorded time they covered.
  const Pacer& pacer() const { return pacer_; }
  // Since its first event; zero before it.
  Duration playing_for(Instant now) const { return began_ ? now - *began_ : Duration::zero(); }

 private:
  class Player;
  ArchiveSourceOptions options_;
  const Clock& clock_;
  Pacer pacer_;
  std::optional<Instant> began_;
  Progress progress_;
};

}  // namespace rt

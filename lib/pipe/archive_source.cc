#include "pipe/archive_source.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>

#include "archive/bodies.h"
#include "base/text.h"
#include "base/units.h"

namespace rt {
namespace {

// Batches as large as a block at most: more would only delay the first of them.
constexpr std::size_t kBatchBytes = 256 * 1024;
constexpr std::size_t kBatchRecords = 4096;
// Events due this soon are handed on together with those that are due: waking up costs as much.
constexpr Duration kCoalesce = std::chrono::microseconds(50);

void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

}  // namespace

Result<ArchiveBound> ArchiveBound::parse(std::string_view text) {
  if (const auto id = Position::parse(text)) return ArchiveBound{*id, false};
  if (const auto lsn = parse_lsn(text)) return ArchiveBound{Position{*lsn, 0}, true};
  if (const auto time = parse_rfc3339(text)) return ArchiveBound{*time, false};
  return fail(Code::usage, fmt::format("\"{}\" is no place in a recording", text),
              "give an event id (000000014D7E3B28-00000002), an LSN (1/4D7E3B28) or a time "
              "(2026-03-29T00:30:00Z)");
}

Result<void> go_to_start(archive::Reader& reader, const ArchiveSourceOptions& options) {
  if (!options.from) return reader.rewind();
  if (const auto* position = std::get_if<Position>(&options.from->at)) {
    RT_TRY(reader.seek(Position{position->lsn, 0}));
  } else {
    RT_TRY(reader.seek(std::get<WallTime>(options.from->at)));
  }
  return {};
}

bool is_past_end(const archive::Entry& entry, const ArchiveSourceOptions& options) {
  if (!options.to || entry.record.prelude) return false;
  if (const auto* position = std::get_if<Position>(&options.to->at)) {
    return entry.position.lsn > position->lsn;
  }
  return entry.t_hi > unix_us(std::get<WallTime>(options.to->at));
}

ArchiveSource::ArchiveSource(ArchiveSourceOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), pacer_(options_.pace) {}

// One pass or more over the recording.
class ArchiveSource::Player {
 public:
  Player(ArchiveSource& source, archive::Reader& reader, std::stop_token stop, const Take& take)
      : source_(source), reader_(reader), stop_(std::move(stop)), take_(take) {}

  Result<void> pass() {
    RT_CHECKED(go_to_start(reader_, source_.options_));
    archive::Entry entry;
    while (!stop_.stop_requested()) {
      auto more = reader_.next(entry);
      if (!more) {
        RT_CHECKED(hand_over());
        return fail(std::move(more).error());
      }
      if (!*more || is_past_end(entry, source_.options_)) break;
      if (entry.t_hi != 0 && !entry.record.prelude && !begun_) RT_CHECKED(begin(entry));
      // Before the first event (a snapshot, say) there is no time to keep.
      const Instant now = source_.pacer_.paced() || batch_.empty() ? source_.clock_.now() : now_;
      const Instant due = begun_ ? source_.pacer_.due(entry.t_hi, now) : now;
      now_ = now;
      if (due > now + kCoalesce) {
        RT_CHECKED(hand_over());
        wait_until(due);
        if (stop_.stop_requested()) break;
      } else if (batch_.body_bytes() >= kBatchBytes || batch_.size() >= kBatchRecords) {
        RT_CHECKED(hand_over());
      }
      if (batch_.empty()) due_ = due;
      batch_.append(entry.record);
      count(entry);
    }
    return hand_over();
  }

 private:
  // The first event with a time is next.
  Result<void> begin(const archive::Entry& entry) {
    if (source_.options_.complete_state && !has_state_) {
      const std::uint64_t lsn = entry.position.lsn;
      const std::string body = archive::encode_json(archive::SnapshotBegin{lsn, ""});
      const std::int64_t at = entry.record.received_us;
      batch_.append({RecordKind::snapshot_begin, false, lsn, at, body});
      batch_.append({RecordKind::snapshot_end, false, lsn, at, {}});
    }
    RT_CHECKED(hand_over());
    if (source_.options_.before_first_event) source_.options_.before_first_event(stop_);
    begun_ = true;
    if (!source_.began_) source_.began_ = source_.clock_.now();
    return {};
  }

  Result<void> hand_over() {
    if (batch_.empty()) return {};
    if (begun_ && source_.pacer_.paced()) source_.pacer_.handed_on(due_, source_.clock_.now());
    RT_CHECKED(take_(batch_));
    batch_.clear();
    return {};
  }

  void wait_until(Instant due) {
    std::unique_lock lock(mutex_);
    wake_.wait_until(lock, stop_, due, [] { return false; });
  }

  void count(const archive::Entry& entry) {
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

  ArchiveSource& source_;
  archive::Reader& reader_;
  std::stop_token stop_;
  const Take& take_;
  RecordBatch batch_;
  Instant due_{};
  Instant now_{};
  bool begun_ = false;
  bool has_state_ = false;
  std::mutex mutex_;
  std::condition_variable_any wake_;
};

Result<void> ArchiveSource::run(std::stop_token stop, const Take& take) {
  archive::ReadOptions read;
  read.on_damage = options_.on_damage;
  read.committed_only = true;
  archive::Reader reader = RT_TRY(archive::Reader::open(options_.path, read));
  for (std::uint32_t loop = 0; options_.loops == 0 || loop < options_.loops; ++loop) {
    if (loop > 0) pacer_.start_over();
    const std::uint64_t before = progress_.records.load(std::memory_order_relaxed);
    RT_CHECKED(Player(*this, reader, stop, take).pass());
    if (stop.stop_requested()) return {};
    if (progress_.records.load(std::memory_order_relaxed) == before)
      return {};  // nothing to repeat
  }
  return {};
}

}  // namespace rt

#include "pipe/archive_source.h"

#include "pipe/archive_player.h"
#include "pipe/archive_span.h"

namespace rt {
namespace {

// The last commit at or before this LSN, 0 if there is none. What stands behind it outside of
// transactions has no LSN of its own that could be sought.
Result<std::uint64_t> last_commit_until(archive::Reader& reader, std::uint64_t lsn) {
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < reader.block_count(); ++i) {
    if (reader.block(i).last_commit_lsn > lsn) break;
    last = reader.block(i).last_commit_lsn;
  }
  RT_TRY(reader.seek(Position{last, 0}));
  archive::Entry entry;
  while (RT_TRY(reader.next(entry))) {
    if (entry.record.prelude || entry.record.kind != RecordKind::wal) continue;
    if (archive::wal_letter(entry.record.body) != 'C') continue;
    if (entry.position.lsn > lsn) break;
    last = entry.position.lsn;
  }
  return last;
}

}  // namespace

Result<void> go_to_start(archive::Reader& reader, const std::optional<ArchiveBound>& from) {
  if (!from) return reader.rewind();
  if (const auto* position = std::get_if<Position>(&from->at)) {
    RT_TRY(reader.seek(Position{position->lsn, 0}));
  } else {
    RT_TRY(reader.seek(std::get<WallTime>(from->at)));
  }
  return {};
}

bool is_past_end(const archive::Entry& entry, const ArchiveSourceOptions& options) {
  return options.to && !entry.record.prelude && options.to->is_passed_by(entry);
}

ArchiveSource::ArchiveSource(ArchiveSourceOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), pacer_(options_.pace) {}

Result<archive::Reader> ArchiveSource::open_reader() const {
  archive::ReadOptions read;
  read.on_damage = options_.on_damage;
  read.committed_only = true;
  return archive::Reader::open(options_.path, read);
}

// The whole recording's, whatever part of it is played: so that a round is found again later.
Result<ArchiveSource::Stride> ArchiveSource::find_stride(archive::Reader& reader) const {
  Stride stride;
  if (options_.loops == 1 || reader.block_count() == 0) return stride;
  stride.lsn = reader.end_lsn();
  stride.us = RT_TRY(find_span(reader)).us();
  return stride;
}

// Puts reading behind what was taken before; which round that is in.
Result<std::uint32_t> ArchiveSource::go_to_first_round(archive::Reader& reader,
                                                       const Stride& stride) const {
  std::optional<ArchiveBound> from = options_.from;
  std::uint32_t round = 0;
  if (options_.resume && !from) {
    Position place = *options_.resume;
    if (stride.lsn > 0) {
      round = static_cast<std::uint32_t>(place.lsn / stride.lsn);
      place.lsn %= stride.lsn;
    }
    place = {RT_TRY(last_commit_until(reader, place.lsn)), 0};
    from = ArchiveBound{place, true};
  }
  RT_CHECKED(go_to_start(reader, from));
  return round;
}

Result<void> ArchiveSource::run(std::stop_token stop, const Take& take) {
  archive::Reader reader = RT_TRY(open_reader());
  const Stride stride = RT_TRY(find_stride(reader));
  Steering::Limits limits{options_.target_keeps_state, options_.target_takes_rows, 0, 0};
  if (reader.block_count() > 0) {
    limits.end_lsn = reader.end_lsn();
    limits.end_us = reader.block(reader.block_count() - 1).t_hi;
  }
  std::optional<Steering> steering;
  if (options_.control != nullptr) steering.emplace(pacer_, limits);
  const std::uint32_t first = RT_TRY(go_to_first_round(reader, stride));
  for (std::uint32_t round = first; options_.loops == 0 || round < options_.loops; ++round) {
    if (round > first) {
      pacer_.start_over();
      RT_CHECKED(go_to_start(reader, options_.from));
    }
    if (steering) steering->start_over();
    std::optional<RecordStamp> stamp;
    if (round > 0) stamp.emplace(round_stamp(round, stride.lsn, stride.us));
    const std::uint64_t before = progress_.records.load(std::memory_order_relaxed);
    Player player(*this, reader, stop, take, steering ? &*steering : nullptr);
    RT_CHECKED(player.pass(stamp ? &*stamp : nullptr));
    if (stop.stop_requested() || quit_ || broke_at_) return {};
    const bool nothing = progress_.records.load(std::memory_order_relaxed) == before;
    if (nothing && (round > first || !options_.resume)) return {};  // nothing to repeat
  }
  return {};
}

}  // namespace rt

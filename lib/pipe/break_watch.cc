#include "pipe/break_watch.h"

#include "archive/stream_tracker.h"

namespace rt {

bool starts_unit(const RecordView& record) {
  if (record.prelude) return false;
  switch (record.kind) {
    case RecordKind::wal: {
      const char letter = archive::wal_letter(record.body);
      return letter == 'B' || letter == 'M';
    }
    case RecordKind::sse:
    case RecordKind::notify:
    case RecordKind::redis:
    case RecordKind::http:
    case RecordKind::receipt:
    case RecordKind::mark:
      return true;
    default:
      return false;
  }
}

Result<bool> BreakWatch::meets(const archive::Entry& first) {
  const auto reached = [&](const ArchiveBound& place) { return place.is_reached_by(first); };
  const bool at_place = std::erase_if(places_, reached) > 0;
  const bool is_transaction = archive::wal_letter(first.record.body) == 'B';
  if (!row_ || first.record.kind != RecordKind::wal || !is_transaction) return at_place;
  return RT_TRY(holds_row(first.position.lsn)) || at_place;
}

// Damage is the replay's to report, when it comes there.
Result<bool> BreakWatch::holds_row(std::uint64_t commit_lsn) {
  bool found = false;
  archive::Entry entry;
  for (;;) {
    const auto more = ahead_->next(entry);
    if (!more || !*more) return found;
    const bool here = entry.position.lsn == commit_lsn;
    if (row_(entry.record) && here) found = true;
    if (here && !entry.record.prelude && archive::wal_letter(entry.record.body) == 'C') {
      return found;
    }
  }
}

}  // namespace rt

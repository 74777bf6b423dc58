#include "rtreplay/archive_end.h"

#include <algorithm>

#include "archive/reader.h"

namespace rt::rtreplay {

Result<ArchiveEnd> read_archive_end(const std::string& path, const archive::Writer& writer) {
  ArchiveEnd end;
  end.held_lsn = writer.durable_end_lsn();
  archive::Reader reader = RT_TRY(archive::Reader::open(path, {.live = true}));
  if (writer.durable_commit_lsn() != 0) {
    RT_TRY(reader.seek({writer.durable_commit_lsn(), Position::kEnd}));
  }
  archive::Entry entry;
  while (RT_TRY(reader.next(entry))) {
    if (entry.record.prelude) continue;
    switch (entry.record.kind) {
      case RecordKind::keepalive:
        end.held_lsn = std::max(end.held_lsn, entry.record.lsn);
        break;
      case RecordKind::gap:
        end.gap = true;
        break;
      case RecordKind::wal:
      case RecordKind::two_phase:
        end.gap = false;
        break;
      case RecordKind::snapshot_begin:
        end.snapshot_open = true;
        break;
      case RecordKind::snapshot_end:
        end.snapshot_open = false;
        end.gap = false;
        break;
      default:
        break;
    }
  }
  return end;
}

}  // namespace rt::rtreplay

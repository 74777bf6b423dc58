#include "rtreplay/merge_source.h"

#include "archive/wire.h"

namespace rt::rtreplay {

Result<std::unique_ptr<MergeSource>> MergeSource::open(const std::string& path,
                                                       archive::OnDamage on_damage) {
  archive::ReadOptions read;
  read.committed_only = true;
  read.on_damage = on_damage;
  auto reader = archive::Reader::open(path, read);
  if (!reader) return fail(std::move(reader).error());
  std::unique_ptr<MergeSource> source(new MergeSource(path, std::move(*reader)));
  RT_CHECKED(source->advance());
  return source;
}

Result<void> MergeSource::advance() {
  for (;;) {
    if (!RT_TRY(reader_.next(head_))) {
      ended_ = true;
      return {};
    }
    const RecordView& record = head_.record;
    if (record.kind == RecordKind::left_out) continue;
    if (record.kind != RecordKind::wal) return {};
    if (letter() == 'R' || letter() == 'Y') {
      schema_.learn(record);
    } else {
      return {};
    }
  }
}

bool MergeSource::at_wal_start() const {
  if (ended_) return false;
  return head_.record.kind == RecordKind::snapshot_begin ||
         (head_.record.kind == RecordKind::wal && letter() == 'B');
}

std::uint64_t MergeSource::wal_lsn() const {
  return head_.record.kind == RecordKind::wal ? head_.position.lsn : head_.record.lsn;
}

}  // namespace rt::rtreplay

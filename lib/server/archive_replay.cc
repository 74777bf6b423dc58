#include "server/archive_replay.h"

namespace rt::server {

using pgoutput::TupleView;

Result<ArchiveReplay> ArchiveReplay::open(const std::string& directory, const std::string& table,
                                          Position seen) {
  archive::Reader reader =
      RT_TRY(archive::Reader::open(directory, {.live = true, .committed_only = true}));
  if (seen.lsn < reader.header().origin.consistent_point) {
    return fail(Code::usage, "the archive begins later");
  }
  // Of the transaction that ended the segments deleted, a part may not have been seen.
  const archive::SegmentHeader& first = reader.header();
  if (first.number > 1 && seen < Position{first.previous_commit_lsn, Position::kEnd}) {
    return fail(Code::usage, "the segments before are deleted");
  }
  Position next = seen;
  if (next.index == Position::kEnd) {
    next = {seen.lsn + 1, 0};
  } else {
    ++next.index;
  }
  RT_TRY(reader.seek(next));
  return ArchiveReplay(std::move(reader), table, seen);
}

ArchiveReplay::ArchiveReplay(archive::Reader reader, std::string table, Position seen)
    : reader_(std::move(reader)), table_(std::move(table)), position_(seen) {}

ArchiveReplay::Step ArchiveReplay::next(std::string& out, const RunFilter& filter,
                                        std::size_t bytes_max) {
  archive::Entry entry;
  while (out.size() < bytes_max) {
    const Result<bool> found = reader_.next(entry);
    if (!found) return Step::broken;
    if (!*found) return Step::end;
    if (take(entry, out, filter) == Step::broken) return Step::broken;
  }
  return Step::more;
}

ArchiveReplay::Step ArchiveReplay::take(const archive::Entry& entry, std::string& out,
                                        const RunFilter& filter) {
  const RecordKind kind = entry.record.kind;
  if (kind == RecordKind::snapshot_begin || kind == RecordKind::gap) return Step::broken;
  if (kind != RecordKind::wal) return Step::more;
  const pgoutput::DecodeResult decoded = pgoutput::decode(entry.record.body);
  if (!decoded) return Step::broken;
  if (const auto* relation = std::get_if<pgoutput::Relation>(&decoded.message)) {
    if (!is_table(*relation, table_)) return Step::more;
    auto table = RunTable::describe(*relation);
    if (!table) return Step::broken;
    tables_[relation->oid] = std::move(*table);
  } else if (const auto* insert = std::get_if<pgoutput::Insert>(&decoded.message)) {
    take_row(insert->relation, std::nullopt, insert->row, entry.position, out, filter);
  } else if (const auto* update = std::get_if<pgoutput::Update>(&decoded.message)) {
    // Without the whole old row nobody can tell what changed.
    if (update->old_kind != pgoutput::OldRow::full) return Step::broken;
    take_row(update->relation, update->old_row, update->row, entry.position, out, filter);
  } else if (const auto* gone = std::get_if<pgoutput::Delete>(&decoded.message)) {
    take_row(gone->relation, gone->old_row, std::nullopt, entry.position, out, filter);
  } else if (std::holds_alternative<pgoutput::Truncate>(decoded.message)) {
    return Step::broken;
  }
  return Step::more;
}

void ArchiveReplay::take_row(std::uint32_t relation, std::optional<TupleView> old_row,
                             std::optional<TupleView> row, Position position, std::string& out,
                             const RunFilter& filter) {
  if (position <= position_) return;
  const auto found = tables_.find(relation);
  if (found == tables_.end()) return;
  const RunTable& table = *found->second;
  std::optional<TupleView> after;
  if (row) {
    merged_.clear();
    append_merged(merged_, *row, old_row.value_or(TupleView()));
    after = pgoutput::decode_tuple(merged_);
  }
  const auto hand_out = [&](std::optional<TupleView> from, std::optional<TupleView> to,
                            Position id) {
    encoder_.read(table, from, to);
    out.append(encoder_.encode({position, id, 0, 0})->frame_for(filter));
  };
  if (old_row && after && table.id_of(*after) != table.id_of(*old_row)) {
    hand_out(old_row, std::nullopt, position_);
    hand_out(std::nullopt, after, position);
  } else {
    hand_out(old_row, after, position);
  }
  position_ = position;
}

}  // namespace rt::server

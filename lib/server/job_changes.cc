#include "server/job_changes.h"

#include <variant>

#include "archive/bodies.h"
#include "proto/copy_text.h"
#include "server/run_table.h"

namespace rt::server {

using pgoutput::TupleView;

void JobChanges::take(const RecordView& record) {
  switch (record.kind) {
    case RecordKind::wal:
      return take_message(record);
    case RecordKind::snapshot_begin: {
      // Its rows changed somewhere up to here: who has seen less is told, who has seen more is not.
      const auto begin = archive::decode_snapshot_begin(record.body);
      const std::uint64_t point = begin ? begin->consistent_point : record.lsn;
      position_ = Position{point > 0 ? point - 1 : 0, Position::kEnd};
      return listener_.on_void();
    }
    case RecordKind::snapshot_row:
      return take_snapshot_row(record.body);
    case RecordKind::snapshot_end:
      position_ = Position{record.lsn - 1, Position::kEnd};
      return listener_.on_whole(position_);
    case RecordKind::left_out:
      if (const auto body = archive::decode_left_out(record.body)) next_index_ += body->changes;
      return;
    default:
      return;
  }
}

void JobChanges::take_message(const RecordView& record) {
  const pgoutput::DecodeResult decoded = pgoutput::decode(record.body);
  if (!decoded) return;  // counted by the runs, which read the same records
  const auto& message = decoded.message;
  if (const auto* begin = std::get_if<pgoutput::Begin>(&message)) {
    commit_lsn_ = begin->final_lsn;
    next_index_ = 0;
  } else if (const auto* relation = std::get_if<pgoutput::Relation>(&message)) {
    relations_.apply(*relation);
  } else if (const auto* insert = std::get_if<pgoutput::Insert>(&message)) {
    if (!record.prelude) take_row(insert->relation, nullptr, &insert->row);
  } else if (const auto* update = std::get_if<pgoutput::Update>(&message)) {
    const bool whole = update->old_kind == pgoutput::OldRow::full;
    take_row(update->relation, whole ? &update->old_row : nullptr, &update->row);
  } else if (const auto* deleted = std::get_if<pgoutput::Delete>(&message)) {
    take_row(deleted->relation, &deleted->old_row, nullptr);
  } else if (const auto* truncate = std::get_if<pgoutput::Truncate>(&message)) {
    for (std::size_t i = 0; i < truncate->relations.size(); ++i) {
      const Position position{commit_lsn_, next_index_++};
      if (position <= position_) continue;
      position_ = position;
      if (find(truncate->relations[i]) != nullptr) listener_.on_truncated(position);
    }
  }
}

void JobChanges::take_row(std::uint32_t relation, const TupleView* old_row, const TupleView* row) {
  const Position position{commit_lsn_, next_index_++};
  if (position <= position_) return;  // sent again after a lost connection
  position_ = position;
  const pgoutput::CachedRelation* const table = find(relation);
  if (table == nullptr) return;
  if (row == nullptr) return listener_.on_deleted(position, read(*table, *old_row).id);
  scratch_.clear();
  append_merged(scratch_, *row, old_row != nullptr ? *old_row : TupleView());
  if (const auto merged = pgoutput::decode_tuple(scratch_)) {
    listener_.on_row(position, read(*table, *merged));
  }
}

void JobChanges::take_snapshot_row(std::string_view body) {
  const auto line = archive::decode_snapshot_row(body);
  const pgoutput::CachedRelation* const table = line ? find(line->relation) : nullptr;
  scratch_.clear();
  if (table == nullptr || !copy_text_to_tuple(line->copy_line, scratch_)) return;
  if (const auto tuple = pgoutput::decode_tuple(scratch_)) {
    listener_.on_row(position_, read(*table, *tuple));
  }
}

const pgoutput::CachedRelation* JobChanges::find(std::uint32_t relation) const {
  const pgoutput::CachedRelation* const found = relations_.find(relation);
  if (found == nullptr) return nullptr;
  const bool ours = found->name == table_ || found->schema + "." + found->name == table_;
  return ours ? found : nullptr;
}

JobRow JobChanges::read(const pgoutput::CachedRelation& relation, TupleView tuple) const {
  JobRow row;
  std::size_t column = 0;
  for (const pgoutput::Value value : tuple) {
    if (column == relation.columns.size()) break;
    std::optional<std::string_view> text;
    if (value.kind == pgoutput::ValueKind::text) text = value.bytes;
    set_job_column(row, relation.columns[column++].name, text);
  }
  return row;
}

}  // namespace rt::server

#include "server/history_fold.h"

#include <variant>

#include "archive/bodies.h"
#include "archive/writer.h"
#include "proto/copy_text.h"
#include "server/run_table.h"

namespace rt::server {

using pgoutput::TupleView;

void HistoryFold::take(const RecordView& record) {
  received_us_ = record.received_us;
  switch (record.kind) {
    case RecordKind::wal:
      return take_message(record);
    case RecordKind::snapshot_begin:
      rows_.clear();
      in_snapshot_ = true;
      return;
    case RecordKind::snapshot_row:
      return take_snapshot_row(record.body);
    case RecordKind::snapshot_end:
      // As RunChanges has it: what commits at this point or later is not in the snapshot.
      position_ = Position{record.lsn - 1, Position::kEnd};
      in_snapshot_ = false;
      return;
    default:
      return;
  }
}

void HistoryFold::take_message(const RecordView& record) {
  const pgoutput::DecodeResult decoded = pgoutput::decode(record.body);
  if (!decoded) return;  // counted when it was served
  const auto& message = decoded.message;
  if (const auto* relation = std::get_if<pgoutput::Relation>(&message)) {
    return take_relation(*relation, record.body);
  }
  if (const auto* begin = std::get_if<pgoutput::Begin>(&message)) {
    commit_lsn_ = begin->final_lsn;
    next_index_ = 0;
    return;
  }
  if (record.prelude) return;
  if (const auto* insert = std::get_if<pgoutput::Insert>(&message)) {
    take_row(insert->relation, std::nullopt, insert->row);
  } else if (const auto* update = std::get_if<pgoutput::Update>(&message)) {
    std::optional<TupleView> old_row;
    if (update->old_kind == pgoutput::OldRow::full) old_row = update->old_row;
    take_row(update->relation, old_row, update->row);
  } else if (const auto* gone = std::get_if<pgoutput::Delete>(&message)) {
    take_row(gone->relation, gone->old_row, std::nullopt);
  } else if (const auto* truncate = std::get_if<pgoutput::Truncate>(&message)) {
    take_truncate(*truncate);
  }
}

// Blocks repeat what they need: a table that is described as before is the same one.
void HistoryFold::take_relation(const pgoutput::Relation& relation, std::string_view message) {
  const auto known = current_.find(relation.oid);
  if (known != current_.end() && tables_[known->second].message == message) return;
  Table table{relation.oid, std::string(message), std::nullopt};
  std::size_t index = 0;
  for (const pgoutput::Column column : relation.columns) {
    if (column.name == "id") table.id_column = index;
    ++index;
  }
  current_[relation.oid] = static_cast<std::uint32_t>(tables_.size());
  tables_.push_back(std::move(table));
}

std::string HistoryFold::key_of(const Table& table, TupleView row) const {
  std::string key(reinterpret_cast<const char*>(&table.oid), sizeof table.oid);
  if (table.id_column && *table.id_column < row.size()) {
    return key.append(row[*table.id_column].bytes);
  }
  return key.append(row.bytes());
}

bool HistoryFold::next_change() {
  const Position position{commit_lsn_, next_index_++};
  if (position <= position_) return false;
  position_ = position;
  return true;
}

void HistoryFold::take_row(std::uint32_t relation, std::optional<TupleView> old_row,
                           std::optional<TupleView> row) {
  if (!next_change()) return;
  const auto found = current_.find(relation);
  if (found == current_.end()) return;
  const Table& table = tables_[found->second];
  const auto before = rows_.find(key_of(table, old_row ? *old_row : *row));
  std::string merged;
  if (row) {
    // What is kept is whole where the old row may be a key only.
    TupleView old = old_row.value_or(TupleView());
    if (before != rows_.end()) {
      if (const auto kept = pgoutput::decode_tuple(before->second.tuple)) old = *kept;
    }
    append_merged(merged, *row, old);
  }
  if (before != rows_.end()) rows_.erase(before);
  if (!row) return;
  const auto tuple = pgoutput::decode_tuple(merged);
  if (tuple) rows_[key_of(table, *tuple)] = Row{found->second, merged};
}

void HistoryFold::take_truncate(const pgoutput::Truncate& truncate) {
  for (std::size_t i = 0; i < truncate.relations.size(); ++i) {
    if (!next_change()) continue;
    const std::uint32_t oid = truncate.relations[i];
    std::erase_if(rows_, [&](const auto& row) { return tables_[row.second.table].oid == oid; });
  }
}

void HistoryFold::take_snapshot_row(std::string_view body) {
  const auto line = archive::decode_snapshot_row(body);
  const auto found = line ? current_.find(line->relation) : current_.end();
  std::string bytes;
  if (found == current_.end() || !copy_text_to_tuple(line->copy_line, bytes)) return;
  const auto tuple = pgoutput::decode_tuple(bytes);
  if (tuple) rows_[key_of(tables_[found->second], *tuple)] = Row{found->second, bytes};
}

Result<void> HistoryFold::write(archive::Writer& writer, Instant now) const {
  const std::uint64_t point = position_.lsn + 1;
  const auto append = [&](RecordKind kind, std::string_view body) {
    const std::uint64_t lsn = kind == RecordKind::wal ? 0 : point;
    return writer.append({kind, false, lsn, received_us_, body}, now);
  };
  std::vector<std::vector<const Row*>> by_table(tables_.size());
  for (const auto& [key, row] : rows_) by_table[row.table].push_back(&row);
  RT_CHECKED(append(RecordKind::snapshot_begin, archive::encode_json({point, "folded"})));
  std::string body;
  std::string line;
  // In the order in which they came: the last description of a table is the one that holds.
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    const Table& table = tables_[i];
    if (by_table[i].empty() && current_.at(table.oid) != i) continue;
    RT_CHECKED(append(RecordKind::wal, table.message));
    for (const Row* const row : by_table[i]) {
      const auto tuple = pgoutput::decode_tuple(row->tuple);
      line.clear();
      if (!tuple || !tuple_to_copy_text(*tuple, line)) {
        return fail(Code::integrity, "a row of the history has no text form");
      }
      body.clear();
      archive::encode(body, archive::SnapshotRowBody{table.oid, line});
      RT_CHECKED(append(RecordKind::snapshot_row, body));
    }
  }
  return append(RecordKind::snapshot_end, {});
}

}  // namespace rt::server

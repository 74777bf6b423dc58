#include "pipe/wal_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "archive/bodies.h"
#include "base/text.h"
#include "base/units.h"
#include "pipe/bytes_json.h"
#include "pipe/row_json.h"
#include "proto/copy_text.h"

namespace rt {

using pgoutput::CachedRelation;
using pgoutput::OldRow;
using pgoutput::TupleView;

struct WalEvents::Row {
  std::string_view op;
  std::uint32_t relation = 0;
  std::optional<TupleView> now;
  OldRow old_kind = OldRow::none;
  TupleView old;
};

Result<void> WalEvents::take(const RecordView& record, const Emit& emit) {
  tracker_.take(record);
  if (record.kind == RecordKind::wal) return take_message(record, emit);
  if (record.kind == RecordKind::snapshot_row) return take_snapshot_row(record.body, emit);
  return {};
}

Result<void> WalEvents::take_message(const RecordView& record, const Emit& emit) {
  const auto decoded = pgoutput::decode(record.body);
  if (!decoded) {
    return fail(Code::integrity,
                fmt::format("cannot read message '{}' of the stream at {}: {}",
                            archive::wal_letter(record.body), lsn_text(tracker_.position().lsn),
                            pgoutput::decode_error_text(decoded.error)));
  }
  const pgoutput::Message& message = decoded.message;
  if (const auto* begin = std::get_if<pgoutput::Begin>(&message)) {
    changes_ = 0;
    commit_time_ = format_rfc3339(from_unix_us(begin->commit_time.unix_us()));
  } else if (const auto* described = std::get_if<pgoutput::Relation>(&message)) {
    relations_.apply(*described);
  } else if (const auto* type = std::get_if<pgoutput::Type>(&message)) {
    relations_.apply(*type);
  } else if (const auto* insert = std::get_if<pgoutput::Insert>(&message)) {
    return take_row({"insert", insert->relation, insert->row, OldRow::none, {}}, emit);
  } else if (const auto* update = std::get_if<pgoutput::Update>(&message)) {
    return take_row({"update", update->relation, update->row, update->old_kind, update->old_row},
                    emit);
  } else if (const auto* gone = std::get_if<pgoutput::Delete>(&message)) {
    return take_row({"delete", gone->relation, std::nullopt, gone->old_kind, gone->old_row}, emit);
  } else if (const auto* truncate = std::get_if<pgoutput::Truncate>(&message)) {
    return take_truncate(*truncate, emit);
  } else if (const auto* logical = std::get_if<pgoutput::LogicalMessage>(&message)) {
    take_logical_message(*logical, emit);
  }
  return {};
}

Result<void> WalEvents::take_row(const Row& row, const Emit& emit) {
  const CachedRelation* table = RT_TRY(relation(row.relation));
  if (!is_news(tracker_.position()) || !is_wanted(*table)) return {};
  begin_data(row.op, *table);
  append_transaction();
  if (row.now) {
    const TupleView fallback = row.old_kind == OldRow::full ? row.old : TupleView();
    data_ += ",\"new\":";
    append_row_json(data_, *table, *row.now, RowColumns::all, fallback);
  }
  if (row.old_kind != OldRow::none) {
    data_ += ",\"old\":";
    append_row_json(data_, *table, row.old,
                    row.old_kind == OldRow::key ? RowColumns::key : RowColumns::all);
  }
  if (row.now && row.old_kind != OldRow::full) {
    scratch_.clear();
    if (append_unchanged_json(scratch_, *table, *row.now)) data_ += ",\"unchanged\":" + scratch_;
  }
  data_ += '}';
  emit_change(row.op, tracker_.position(), emit);
  return {};
}

// One event for each table: each is a change with a position of its own.
Result<void> WalEvents::take_truncate(const pgoutput::Truncate& truncate, const Emit& emit) {
  Position position = tracker_.position();
  for (std::size_t i = 0; i < truncate.relations.size(); ++i, ++position.index) {
    const CachedRelation* table = RT_TRY(relation(truncate.relations[i]));
    if (!is_news(position) || !is_wanted(*table)) continue;
    begin_data("truncate", *table);
    append_transaction();
    if (truncate.cascade()) data_ += ",\"cascade\":true";
    if (truncate.restart_identity()) data_ += ",\"restart_identity\":true";
    data_ += '}';
    emit_change("truncate", position, emit);
  }
  return {};
}

void WalEvents::take_logical_message(const pgoutput::LogicalMessage& message, const Emit& emit) {
  // A message inside a transaction stands between two rows: it is told again unless the row after
  // it is known to be handled.
  const Position here = tracker_.position();
  const Position position = message.transactional() ? here : Position{message.lsn, Position::kEnd};
  if (message.transactional()
          ? !is_news(position)
          : position.lsn <= told_lsn_ || (options_.after && position <= *options_.after)) {
    return;
  }
  if (!message.transactional()) {
    told_lsn_ = message.lsn;
    told_changes_ = Position::kEnd;
  }
  if (!options_.tables.empty()) return;
  data_ = R"({"op":"message","prefix":)";
  append_json_string(data_, message.prefix);
  data_ += ",\"content\":";
  append_bytes_json(data_, message.content);
  if (message.transactional()) append_transaction();
  data_ += '}';
  topic_ = message.prefix;
  if (!message.transactional()) {
    const std::string id = position.text();
    return emit({"message", id, topic_, data_, std::nullopt});
  }
  emit({"message", {}, topic_, data_, from_unix_us(tracker_.commit_time_us())});
}

Result<void> WalEvents::take_snapshot_row(std::string_view body, const Emit& emit) {
  const auto row = archive::decode_snapshot_row(body);
  if (!row) return fail(Code::integrity, "cannot read a row of the snapshot");
  const CachedRelation* table = RT_TRY(relation(row->relation));
  if (!is_wanted(*table)) return {};
  scratch_.clear();
  const bool copied = copy_text_to_tuple(row->copy_line, scratch_);
  const auto tuple = copied ? pgoutput::decode_tuple(scratch_) : std::nullopt;
  if (!tuple) {
    return fail(Code::integrity, fmt::format("cannot read a row of the snapshot of {}.{}",
                                             table->schema, table->name));
  }
  begin_data("row", *table);
  data_ += ",\"new\":";
  append_row_json(data_, *table, *tuple, RowColumns::all);
  data_ += '}';
  emit({"row", {}, topic_, data_, std::nullopt});
  return {};
}

Result<const CachedRelation*> WalEvents::relation(std::uint32_t oid) const {
  const CachedRelation* known = relations_.find(oid);
  if (known != nullptr) return known;
  return fail(Code::integrity, fmt::format("a change at {} is of relation {}, which the server has "
                                           "not described",
                                           tracker_.position().text(), oid));
}

bool WalEvents::is_news(const Position& position) {
  ++changes_;
  const bool told =
      position.lsn < told_lsn_ || (position.lsn == told_lsn_ && changes_ <= told_changes_);
  if (told) return false;
  told_lsn_ = position.lsn;
  told_changes_ = changes_;
  if (options_.after && position <= *options_.after) return false;
  return !options_.since || from_unix_us(tracker_.commit_time_us()) >= *options_.since;
}

bool WalEvents::is_wanted(const CachedRelation& relation) const {
  return options_.tables.empty() ||
         std::any_of(options_.tables.begin(), options_.tables.end(), [&](const TableName& name) {
           return name.table == relation.name && name.schema == relation.schema;
         });
}

void WalEvents::begin_data(std::string_view op, const CachedRelation& relation) {
  data_ = R"({"op":")";
  data_ += op;
  data_ += R"(","schema":)";
  append_json_string(data_, relation.schema);
  data_ += R"(,"table":)";
  append_json_string(data_, relation.name);
  topic_ = relation.schema;
  topic_ += '.';
  topic_ += relation.name;
}

void WalEvents::append_transaction() {
  data_ += R"(,"commit_time":")";
  data_ += commit_time_;
  data_ += R"(","xid":)";
  append_decimal(data_, tracker_.xid());
}

void WalEvents::emit_change(std::string_view name, const Position& position, const Emit& emit) {
  std::array<char, Position::kTextSize> id{};
  position.write(id.data());
  emit({name, {id.data(), id.size()}, topic_, data_, from_unix_us(tracker_.commit_time_us())});
}

}  // namespace rt

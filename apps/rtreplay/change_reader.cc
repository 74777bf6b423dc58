#include "rtreplay/change_reader.h"

#include "archive/bodies.h"
#include "archive/wire.h"
#include "base/text.h"

namespace rt::rtreplay {
namespace {

using pgoutput::OldRow;
using pgoutput::TupleView;

// Columns with their names and kinds, so that neither the order of columns nor a relation's oid
// matters.
void append_columns(std::string& out, const RowLayout& layout, TupleView row, bool key_only,
                    TupleView fallback = {}) {
  std::size_t i = 0;
  for (pgoutput::Value value : row) {
    const std::size_t column = i++;
    if (column >= layout.columns.size()) break;
    if (key_only && !layout.columns[column].is_key) continue;
    if (value.kind == pgoutput::ValueKind::unchanged && column < fallback.size()) {
      value = fallback[column];
    }
    out += layout.columns[column].json_name;
    out += static_cast<char>(value.kind);
    archive::append_varint(out, value.bytes.size());
    out += value.bytes;
  }
}

}  // namespace

void ChangeReader::name_stream(std::string_view kind, std::string_view name) {
  stream_ = kind;
  if (!name.empty()) (stream_ += ' ') += name;
}

Result<bool> ChangeReader::next(Change& change) {
  while (!truncated_.empty()) {
    const auto oid = archive::load_be<std::uint32_t>(truncated_.data());
    truncated_.remove_prefix(4);
    ++truncate_index_;
    change.position.index = entry_.position.index + truncate_index_;
    if (row(change, oid, 'T', OldRow::none, {}, {})) return true;
  }
  while (RT_TRY(reader_.next(entry_))) {
    change.time_us = entry_.t_hi;
    change.position = entry_.position;
    if (entry_.record.kind == RecordKind::wal ? read_wal(change) : read_event(change)) return true;
  }
  return false;
}

bool ChangeReader::row(Change& change, std::uint32_t oid, char op, OldRow old_kind,
                       TupleView old_row, TupleView new_row) {
  const RowLayout* layout = layouts_.find(oid);
  if (layout == nullptr) return false;
  stream_ = layout->name;
  scratch_.clear();
  scratch_ += op;
  const bool has_new = op == 'I' || op == 'U';
  append_columns(scratch_, *layout, has_new ? new_row : old_row, layout->key_known,
                 old_kind == OldRow::full ? old_row : TupleView());
  const std::uint64_t seed = archive::hash_bytes(stream_);
  change.key_hash = archive::hash_bytes(scratch_, seed);
  scratch_ += '|';
  append_columns(scratch_, *layout, old_row, old_kind == OldRow::key);
  scratch_ += '|';
  append_columns(scratch_, *layout, new_row, false,
                 old_kind == OldRow::full ? old_row : TupleView());
  change.body_hash = archive::hash_bytes(scratch_, seed);
  change.op = op;
  change.stream = stream_;
  return true;
}

bool ChangeReader::read_wal(Change& change) {
  const char letter = archive::wal_letter(entry_.record.body);
  if (letter != 'R' &&
      (entry_.record.prelude || (!archive::is_row_letter(letter) && letter != 'M'))) {
    return false;
  }
  const auto decoded = pgoutput::decode(entry_.record.body);
  if (!decoded) return false;
  const pgoutput::Message& message = decoded.message;
  if (const auto* relation = std::get_if<pgoutput::Relation>(&message)) {
    layouts_.learn(*relation);
  } else if (const auto* insert = std::get_if<pgoutput::Insert>(&message)) {
    return row(change, insert->relation, 'I', OldRow::none, {}, insert->row);
  } else if (const auto* update = std::get_if<pgoutput::Update>(&message)) {
    return row(change, update->relation, 'U', update->old_kind, update->old_row, update->row);
  } else if (const auto* gone = std::get_if<pgoutput::Delete>(&message)) {
    return row(change, gone->relation, 'D', gone->old_kind, gone->old_row, {});
  } else if (const auto* truncate = std::get_if<pgoutput::Truncate>(&message)) {
    if (truncate->relations.size() == 0) return false;
    truncated_ = truncate->relations.bytes().substr(4);
    truncate_index_ = 0;
    return row(change, truncate->relations[0], 'T', OldRow::none, {}, {});
  } else if (const auto* said = std::get_if<pgoutput::LogicalMessage>(&message)) {
    name_stream("message", said->prefix);
    change.op = 'E';
    change.stream = stream_;
    change.key_hash = change.body_hash =
        archive::hash_bytes(said->content, archive::hash_bytes(stream_));
    return true;
  }
  return false;
}

bool ChangeReader::read_event(Change& change) {
  std::string_view id;
  std::string_view body;
  switch (entry_.record.kind) {
    case RecordKind::sse: {
      const auto event = archive::decode_sse(entry_.record.body);
      if (!event) return false;
      name_stream("event", event->event);
      id = event->id;
      body = event->data;
      break;
    }
    case RecordKind::notify: {
      const auto said = archive::decode_notify(entry_.record.body);
      if (!said) return false;
      name_stream("notify", said->channel);
      body = said->payload;
      break;
    }
    case RecordKind::redis: {
      const auto said = archive::decode_redis(entry_.record.body);
      if (!said) return false;
      name_stream("redis", said->channel);
      id = said->id;
      body = said->payload;
      break;
    }
    default:
      return false;
  }
  const std::uint64_t seed = archive::hash_bytes(stream_);
  change.op = 'E';
  change.stream = stream_;
  change.body_hash = archive::hash_bytes(body, archive::hash_bytes(id, seed));
  change.key_hash = id.empty() ? change.body_hash : archive::hash_bytes(id, seed);
  return true;
}

}  // namespace rt::rtreplay

#include "rtreplay/record_printer.h"

#include "archive/bodies.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "pipe/bytes_json.h"
#include "pipe/redis_entry.h"
#include "proto/copy_text.h"
#include "proto/pgoutput_two_phase.h"
#include "rtreplay/value_text.h"

namespace rt::rtreplay {
namespace {

using pgoutput::OldRow;
using pgoutput::TupleView;
using pgoutput::ValueKind;

enum class Columns { all, key };

void append_columns_text(std::string& out, const RowLayout& layout, TupleView row, Columns which) {
  std::size_t i = 0;
  for (const pgoutput::Value value : row) {
    const std::size_t column = i++;
    if (column >= layout.columns.size()) break;
    if (which == Columns::key && !layout.columns[column].is_key) continue;
    out += ' ';
    out += layout.columns[column].name;
    out += '=';
    append_value_text(out, value);
  }
}

void append_id(std::string& out, const Position& position) {
  const std::size_t at = out.size();
  out.resize(at + Position::kTextSize);
  position.write(out.data() + at);
}

}  // namespace

void RecordPrinter::print(const RecordView& record, const Position& position, std::string& out) {
  switch (record.kind) {
    case RecordKind::wal:
      return print_wal(record, position, out);
    case RecordKind::snapshot_row:
      if (snapshot_rows_) print_snapshot_row(record, out);
      return;
    case RecordKind::two_phase:
      return print_two_phase(record, out);
    case RecordKind::sse:
    case RecordKind::notify:
    case RecordKind::redis:
    case RecordKind::gap:
    case RecordKind::mark:
      return print_event(record, out);
    default:
      return;
  }
}

void RecordPrinter::set_transaction(std::int64_t time_us, std::uint32_t xid) {
  xid_ = xid;
  time_.clear();
  append_rfc3339(time_, from_unix_us(time_us));
  transaction_.clear();
  transaction_fields(transaction_, time_, xid_);
}

void RecordPrinter::print_wal(const RecordView& record, const Position& position,
                              std::string& out) {
  const auto decoded = pgoutput::decode(record.body);
  const pgoutput::Message& message = decoded.message;
  if (!decoded) {
    if (archive::is_row_letter(archive::wal_letter(record.body))) ++undecodable_;
    return;
  }
  if (const auto* begin = std::get_if<pgoutput::Begin>(&message)) {
    set_transaction(begin->commit_time.unix_us(), begin->xid);
  } else if (const auto* relation = std::get_if<pgoutput::Relation>(&message)) {
    layouts_.learn(*relation);
  } else if (const auto* insert = std::get_if<pgoutput::Insert>(&message)) {
    print_row({'I', layouts_.find(insert->relation), OldRow::none, {}, insert->row, true}, position,
              out);
  } else if (const auto* update = std::get_if<pgoutput::Update>(&message)) {
    print_row({'U', layouts_.find(update->relation), update->old_kind, update->old_row, update->row,
               true},
              position, out);
  } else if (const auto* gone = std::get_if<pgoutput::Delete>(&message)) {
    print_row({'D', layouts_.find(gone->relation), gone->old_kind, gone->old_row, {}, false},
              position, out);
  } else if (const auto* truncate = std::get_if<pgoutput::Truncate>(&message)) {
    print_truncate(*truncate, position, out);
  }
}

void RecordPrinter::print_row(const RowChange& row, const Position& position, std::string& out) {
  if (row.layout == nullptr) {
    ++undecodable_;
    return;
  }
  ++lines_;
  if (format_ == LineFormat::ndjson)
    append_row_line(out, row, position, transaction_);
  else
    row_as_text(row, position, out);
}

void RecordPrinter::row_as_text(const RowChange& row, const Position& position, std::string& out) {
  const RowLayout& layout = *row.layout;
  append_id(out, position);
  out += ' ';
  out += time_;
  out += ' ';
  out += row.op;
  out += ' ';
  out += layout.name;
  if (row.has_new) append_columns_text(out, layout, row.new_row, Columns::all);
  if (row.old_kind != OldRow::none) {
    if (row.has_new) out += " | old";
    append_columns_text(out, layout, row.old_row,
                        row.old_kind == OldRow::key ? Columns::key : Columns::all);
  }
  out += '\n';
}

// One line for each table: each is a change with a position of its own.
void RecordPrinter::print_truncate(const pgoutput::Truncate& truncate, const Position& position,
                                   std::string& out) {
  for (std::size_t i = 0; i < truncate.relations.size(); ++i) {
    ++lines_;
    const RowLayout* layout = layouts_.find(truncate.relations[i]);
    const std::string name =
        layout != nullptr ? layout->name : std::to_string(truncate.relations[i]);
    const Position at{position.lsn, position.index + static_cast<std::uint32_t>(i)};
    if (format_ == LineFormat::text) {
      append_id(out, at);
      out += ' ' + time_ + " T " + name + '\n';
      continue;
    }
    out += "{\"id\":\"";
    append_id(out, at);
    out += "\",\"ts\":\"" + time_ + "\",\"xid\":";
    append_decimal(out, xid_);
    out += ",\"op\":\"T\",\"rel\":";
    append_json_string(out, name);
    out += ",\"key\":null,\"old\":null,\"new\":null}\n";
  }
}

void RecordPrinter::print_snapshot_row(const RecordView& record, std::string& out) {
  const auto body = archive::decode_snapshot_row(record.body);
  const RowLayout* layout = body ? layouts_.find(body->relation) : nullptr;
  scratch_.clear();
  if (layout == nullptr || !copy_text_to_tuple(body->copy_line, scratch_)) {
    ++undecodable_;
    return;
  }
  const auto row = pgoutput::decode_tuple(scratch_);
  if (!row) {
    ++undecodable_;
    return;
  }
  ++lines_;
  const Position position{record.lsn, Position::kEnd};
  set_transaction(record.received_us, 0);
  const RowChange made{'S', layout, OldRow::none, {}, *row, true};
  if (format_ == LineFormat::ndjson)
    append_row_line(out, made, position, transaction_);
  else
    row_as_text(made, position, out);
}

// That it was prepared, and how it ended; its rows are lines when it has committed.
void RecordPrinter::print_two_phase(const RecordView& record, std::string& out) {
  using Kind = pgoutput::TwoPhase::Kind;
  const auto message = pgoutput::decode_two_phase(record.body);
  if (!message || message->kind == Kind::begin_prepare) return;
  ++lines_;
  const char* const what = message->kind == Kind::prepare           ? "prepare"
                           : message->kind == Kind::commit_prepared ? "commit_prepared"
                                                                    : "rollback_prepared";
  const std::string time = format_rfc3339(from_unix_us(message->time.unix_us()));
  if (format_ == LineFormat::text) {
    ((out += time) += ' ') += what;
    out += ' ';
    append_value_text(out, {ValueKind::text, message->gid});
    out += '\n';
    return;
  }
  ((out += "{\"type\":\"") += what) += "\",\"ts\":\"" + time + "\",\"xid\":";
  append_decimal(out, message->xid);
  out += ",\"gid\":";
  append_bytes_json(out, message->gid);
  out += "}\n";
}

void RecordPrinter::print_event(const RecordView& record, std::string& out) {
  const EventLine line = event_line(record);
  ++lines_;
  const std::string time = format_rfc3339(from_unix_us(record.received_us));
  if (format_ == LineFormat::text) {
    out += time;
    for (const std::string_view part : {line.type, line.id, line.name}) {
      if (!part.empty()) (out += ' ') += part;
    }
    out += ' ';
    append_value_text(out, {ValueKind::text, line.text});
    out += '\n';
    return;
  }
  ((out += "{\"type\":\"") += line.type) += "\",\"ts\":\"" + time + '"';
  const bool has_id = record.kind == RecordKind::sse || !line.id.empty();
  if (has_id) {
    out += ",\"id\":";
    append_json_string(out, line.id);
  }
  if (!line.name.empty()) {
    out += record.kind == RecordKind::sse ? ",\"event\":" : ",\"channel\":";
    append_json_string(out, line.name);
  }
  const bool is_text = record.kind == RecordKind::gap || record.kind == RecordKind::mark;
  out += is_text ? ",\"text\":" : ",\"data\":";
  append_bytes_json(out, line.text);
  out += "}\n";
}

// A malformed body becomes an empty line of its type: it was there.
RecordPrinter::EventLine RecordPrinter::event_line(const RecordView& record) {
  if (record.kind == RecordKind::sse) {
    const auto body = archive::decode_sse(record.body).value_or(archive::SseBody{});
    return {"event", body.id, body.event, body.data};
  }
  if (record.kind == RecordKind::notify) {
    const auto body = archive::decode_notify(record.body).value_or(archive::NotifyBody{});
    return {"notify", {}, body.channel, body.payload};
  }
  if (record.kind == RecordKind::redis) {
    const auto body = archive::decode_redis(record.body).value_or(archive::RedisBody{});
    scratch_.clear();
    append_redis_data(scratch_, body);
    return {"redis", body.id, body.channel, scratch_};
  }
  return {record.kind == RecordKind::gap ? "gap" : "mark", {}, {}, record.body};
}

}  // namespace rt::rtreplay

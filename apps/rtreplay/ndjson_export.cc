// The lossless NDJSON of `rtreplay convert`: rows as `cat` prints them, with the fields that make a
// recording of them again. docs/recordings.md names each line.
#include "archive/bodies.h"
#include "archive/wire.h"
#include "base/text.h"
#include "base/units.h"
#include "pipe/bytes_json.h"
#include "proto/copy_text.h"
#include "rtreplay/line_export.h"
#include "rtreplay/row_layout.h"
#include "rtreplay/stream_schema.h"
#include "rtreplay/value_text.h"

namespace rt::rtreplay {
namespace {

using pgoutput::OldRow;
using pgoutput::TupleView;
using pgoutput::ValueKind;

void append_lsn_field(std::string& out, std::string_view name, std::uint64_t lsn) {
  ((out += ",\"") += name) += "\":\"";
  (out += lsn_text(lsn)) += '"';
}

void append_number_field(std::string& out, std::string_view name, std::int64_t value) {
  (((out += ",\"") += name) += "\":") += std::to_string(value);
}

void append_bytes_field(std::string& out, std::string_view name, std::string_view bytes) {
  ((out += ",\"") += name) += "\":";
  append_bytes_json(out, bytes);
}

// A binary value is no text in bytes: {"binary":"..."}.
void append_value(std::string& out, const pgoutput::Value& value) {
  if (value.kind != ValueKind::binary) return append_value_json(out, value);
  out += "{\"binary\":\"";
  append_base64(out, value.bytes);
  out += "\"}";
}

// A column that is absent was not sent; of an old key, it is no part of the key.
void append_row(std::string& out, std::string_view name, const RowLayout& layout, TupleView row,
                bool key_only) {
  ((out += ",\"") += name) += "\":{";
  bool first = true;
  std::size_t i = 0;
  for (const pgoutput::Value value : row) {
    const std::string& column = layout.columns[i++].json_name;
    if (value.kind == (key_only ? ValueKind::null : ValueKind::unchanged)) continue;
    if (!first) out += ',';
    first = false;
    out += column;
    append_value(out, value);
  }
  out += '}';
}

void append_unchanged(std::string& out, const RowLayout& layout, TupleView row) {
  bool any = false;
  std::size_t i = 0;
  for (const pgoutput::Value value : row) {
    const std::string& column = layout.columns[i++].name;
    if (value.kind != ValueKind::unchanged) continue;
    out += any ? "," : ",\"unchanged\":[";
    any = true;
    append_json_string(out, column);
  }
  if (any) out += ']';
}

bool holds(TupleView row, ValueKind kind) {
  for (const pgoutput::Value value : row) {
    if (value.kind == kind) return true;
  }
  return false;
}

class NdjsonExport final : public LineExport {
 public:
  void begin(const archive::Origin& origin, std::string& out) override {
    out += "{\"type\":\"recording\",\"version\":1,\"system_identifier\":\"";
    append_decimal(out, origin.system_identifier);
    out += '"';
    append_number_field(out, "timeline", origin.timeline);
    append_number_field(out, "server_version", origin.server_version);
    append_lsn_field(out, "consistent_point", origin.consistent_point);
    (out += ",\"notes\":") += origin.notes_json;
    out += "}\n";
  }

  void take(const archive::Entry& entry, std::string& out) override {
    const RecordView& record = entry.record;
    const char letter = record.kind == RecordKind::wal ? archive::wal_letter(record.body) : '\0';
    const bool schema = letter == 'R' || letter == 'Y';
    if (schema && !schema_.learn(record)) return;
    if (record.prelude && !schema) return;
    const std::size_t start = out.size();
    if (!print(entry, out)) {
      out.resize(start);
      print_raw(record, out);
    }
  }

 private:
  // Every line ends with what only the archive knows of its record.
  static void end_line(const RecordView& record, std::string& out) {
    if (record.prelude) out += ",\"prelude\":true";
    if (record.lsn != 0) append_lsn_field(out, "at", record.lsn);
    append_number_field(out, "recv_us", record.received_us);
    out += "}\n";
  }

  // What has no line of its own, byte for byte.
  static void print_raw(const RecordView& record, std::string& out) {
    out += "{\"type\":\"record\",\"kind\":";
    const char kind = static_cast<char>(record.kind);
    append_bytes_json(out, {&kind, 1});
    out += ",\"body\":{\"base64\":\"";
    append_base64(out, record.body);
    out += "\"}";
    end_line(record, out);
  }

  // False if the lines would not give the same bytes again.
  bool print(const archive::Entry& entry, std::string& out) {
    const RecordView& record = entry.record;
    switch (record.kind) {
      case RecordKind::wal:
        return print_wal(entry, out);
      case RecordKind::snapshot_row:
        return print_snapshot_row(record, out);
      case RecordKind::sse:
        return print_sse(record, out);
      case RecordKind::notify:
        return print_notify(record, out);
      case RecordKind::redis:
        return print_redis(record, out);
      case RecordKind::gap:
      case RecordKind::mark:
        out += record.kind == RecordKind::gap ? "{\"type\":\"gap\"" : "{\"type\":\"mark\"";
        append_bytes_field(out, "text", record.body);
        end_line(record, out);
        return true;
      default:
        return false;
    }
  }

  static bool print_sse(const RecordView& record, std::string& out) {
    const auto body = archive::decode_sse(record.body);
    if (!body) return false;
    out += "{\"type\":\"event\"";
    append_bytes_field(out, "id", body->id);
    append_bytes_field(out, "event", body->event);
    append_bytes_field(out, "data", body->data);
    end_line(record, out);
    return true;
  }

  static bool print_notify(const RecordView& record, std::string& out) {
    const auto body = archive::decode_notify(record.body);
    if (!body) return false;
    out += "{\"type\":\"notify\"";
    append_bytes_field(out, "channel", body->channel);
    append_number_field(out, "pid", body->pid);
    append_bytes_field(out, "data", body->payload);
    end_line(record, out);
    return true;
  }

  // Entries of streams stay as they are: their fields may be any bytes.
  static bool print_redis(const RecordView& record, std::string& out) {
    const auto body = archive::decode_redis(record.body);
    if (!body || !body->id.empty()) return false;
    out += "{\"type\":\"redis\"";
    append_bytes_field(out, "channel", body->channel);
    append_bytes_field(out, "data", body->payload);
    end_line(record, out);
    return true;
  }

  bool print_snapshot_row(const RecordView& record, std::string& out) {
    const auto body = archive::decode_snapshot_row(record.body);
    const RowLayout* layout = body ? layouts_.find(body->relation) : nullptr;
    scratch_.clear();
    if (layout == nullptr || !copy_text_to_tuple(body->copy_line, scratch_)) return false;
    const auto row = pgoutput::decode_tuple(scratch_);
    copy_.clear();
    if (!row || row->size() != layout->columns.size() || !tuple_to_copy_text(*row, copy_) ||
        copy_ != body->copy_line) {
      return false;
    }
    out += "{\"op\":\"S\",\"rel\":";
    out += layout->json_name;
    append_number_field(out, "oid", body->relation);
    append_row(out, "new", *layout, *row, false);
    end_line(record, out);
    return true;
  }

  bool print_wal(const archive::Entry& entry, std::string& out) {
    const RecordView& record = entry.record;
    const auto decoded = pgoutput::decode(record.body);
    if (!decoded) return false;
    return std::visit([&](const auto& message) { return line(message, entry, out); },
                      decoded.message);
  }

  template <typename Other>  // streamed and unknown messages
  bool line(const Other&, const archive::Entry&, std::string&) {
    return false;
  }

  bool line(const pgoutput::Begin& begin, const archive::Entry& entry, std::string& out) {
    const WallTime time = from_unix_us(begin.commit_time.unix_us());
    time_ = format_rfc3339(time);
    xid_ = begin.xid;
    const auto again = parse_rfc3339(time_);
    if (!again || *again != time) return false;
    out += "{\"type\":\"begin\"";
    append_lsn_field(out, "lsn", begin.final_lsn);
    append_number_field(out, "xid", begin.xid);
    out += ",\"ts\":\"" + time_ + '"';
    end_line(entry.record, out);
    return true;
  }

  bool line(const pgoutput::Commit& commit, const archive::Entry& entry, std::string& out) {
    const WallTime time = from_unix_us(commit.commit_time.unix_us());
    const std::string text = format_rfc3339(time);
    const auto again = parse_rfc3339(text);
    if (commit.flags != 0 || !again || *again != time) return false;
    out += "{\"type\":\"commit\"";
    append_lsn_field(out, "lsn", commit.commit_lsn);
    append_lsn_field(out, "end_lsn", commit.end_lsn);
    out += ",\"ts\":\"" + text + '"';
    end_line(entry.record, out);
    return true;
  }

  bool line(const pgoutput::Origin& origin, const archive::Entry& entry, std::string& out) {
    out += "{\"type\":\"origin\"";
    append_lsn_field(out, "lsn", origin.commit_lsn);
    append_bytes_field(out, "name", origin.name);
    end_line(entry.record, out);
    return true;
  }

  bool line(const pgoutput::Type& type, const archive::Entry& entry, std::string& out) {
    out += "{\"type\":\"type\"";
    append_number_field(out, "oid", type.oid);
    append_bytes_field(out, "schema", type.schema);
    append_bytes_field(out, "name", type.name);
    end_line(entry.record, out);
    return true;
  }

  bool line(const pgoutput::Relation& relation, const archive::Entry& entry, std::string& out) {
    layouts_.learn(relation);
    out += "{\"type\":\"relation\"";
    append_number_field(out, "oid", relation.oid);
    append_bytes_field(out, "schema", relation.schema);
    append_bytes_field(out, "name", relation.name);
    append_bytes_field(out, "identity", {&relation.identity, 1});
    out += ",\"columns\":[";
    bool first = true;
    for (const pgoutput::Column column : relation.columns) {
      if (column.flags > 1) return false;
      out += first ? "{\"name\":" : ",{\"name\":";
      first = false;
      append_bytes_json(out, column.name);
      append_number_field(out, "type", column.type_oid);
      if (column.typmod != -1) append_number_field(out, "typmod", column.typmod);
      if (column.is_key()) out += ",\"key\":true";
      out += '}';
    }
    out += ']';
    end_line(entry.record, out);
    return true;
  }

  bool line(const pgoutput::LogicalMessage& message, const archive::Entry& entry,
            std::string& out) {
    if (message.flags > 1) return false;
    out += "{\"type\":\"message\"";
    append_lsn_field(out, "lsn", message.lsn);
    if (message.transactional()) out += ",\"transactional\":true";
    append_bytes_field(out, "prefix", message.prefix);
    append_bytes_field(out, "content", message.content);
    end_line(entry.record, out);
    return true;
  }

  void start_row(char op, std::uint32_t oid, const RowLayout& layout, const archive::Entry& entry,
                 std::string& out) {
    out += "{\"id\":\"" + entry.position.text() + "\",\"ts\":\"" + time_ + '"';
    append_number_field(out, "xid", xid_);
    ((out += ",\"op\":\"") += op) += "\",\"rel\":";
    out += layout.json_name;
    append_number_field(out, "oid", oid);
  }

  bool line(const pgoutput::Insert& insert, const archive::Entry& entry, std::string& out) {
    const RowLayout* layout = layouts_.find(insert.relation);
    if (layout == nullptr || layout->columns.size() != insert.row.size()) return false;
    start_row('I', insert.relation, *layout, entry, out);
    out += ",\"old\":null";
    append_row(out, "new", *layout, insert.row, false);
    append_unchanged(out, *layout, insert.row);
    end_line(entry.record, out);
    return true;
  }

  bool append_old(std::string& out, const RowLayout& layout, OldRow kind, TupleView row) {
    if (kind == OldRow::none) {
      out += ",\"old\":null";
      return true;
    }
    const bool key = kind == OldRow::key;
    if (row.size() != layout.columns.size() || (key && holds(row, ValueKind::unchanged))) {
      return false;
    }
    out += key ? ",\"identity\":\"key\"" : ",\"identity\":\"full\"";
    append_row(out, "old", layout, row, key);
    return true;
  }

  bool line(const pgoutput::Update& update, const archive::Entry& entry, std::string& out) {
    const RowLayout* layout = layouts_.find(update.relation);
    if (layout == nullptr || layout->columns.size() != update.row.size()) return false;
    start_row('U', update.relation, *layout, entry, out);
    if (!append_old(out, *layout, update.old_kind, update.old_row)) return false;
    append_row(out, "new", *layout, update.row, false);
    append_unchanged(out, *layout, update.row);
    end_line(entry.record, out);
    return true;
  }

  bool line(const pgoutput::Delete& gone, const archive::Entry& entry, std::string& out) {
    const RowLayout* layout = layouts_.find(gone.relation);
    if (layout == nullptr) return false;
    start_row('D', gone.relation, *layout, entry, out);
    if (!append_old(out, *layout, gone.old_kind, gone.old_row)) return false;
    out += ",\"new\":null";
    end_line(entry.record, out);
    return true;
  }

  bool line(const pgoutput::Truncate& truncate, const archive::Entry& entry, std::string& out) {
    if (truncate.relations.size() == 0) return false;
    const RowLayout* first = layouts_.find(truncate.relations[0]);
    if (first == nullptr) return false;
    start_row('T', truncate.relations[0], *first, entry, out);
    out += ",\"oids\":[";
    for (std::size_t i = 0; i < truncate.relations.size(); ++i) {
      if (i > 0) out += ',';
      append_decimal(out, truncate.relations[i]);
    }
    out += "],\"old\":null,\"new\":null";
    append_number_field(out, "flags", truncate.flags);
    end_line(entry.record, out);
    return true;
  }

  RowLayouts layouts_;
  StreamSchema schema_;
  std::string time_;
  std::uint32_t xid_ = 0;
  std::string scratch_;
  std::string copy_;
};

}  // namespace

std::unique_ptr<LineExport> make_ndjson_export() {
  return std::make_unique<NdjsonExport>();
}

}  // namespace rt::rtreplay

// Values of the events that Debezium's PostgreSQL connector publishes, JSON converter without
// schema (Debezium 3, "Debezium connector for PostgreSQL", data change events; columns:
// debezium_values.h). One line an event: create, update, delete, read (of a snapshot), truncate,
// message. Tombstones, which have no value, are left out.
#include "archive/bodies.h"
#include "base/text.h"
#include "pipe/bytes_json.h"
#include "proto/copy_text.h"
#include "rtreplay/debezium_values.h"
#include "rtreplay/exported_tables.h"
#include "rtreplay/line_export.h"

namespace rt::rtreplay {
namespace {

using pgoutput::OldRow;
using pgoutput::TupleView;
using pgoutput::ValueKind;

void append_row(std::string& out, const ExportedTable& table, TupleView row,
                TupleView fallback = {}) {
  out += '{';
  std::size_t i = 0;
  for (pgoutput::Value value : row) {
    if (i == table.columns.size()) break;
    const ExportedTable::Column& column = table.columns[i];
    if (value.kind == ValueKind::unchanged && i < fallback.size()) value = fallback[i];
    if (i++ > 0) out += ',';
    (out += column.json_name) += ':';
    append_debezium_value(out, column, value);
  }
  out += '}';
}

class DebeziumExport final : public LineExport {
 public:
  void begin(const archive::Origin&, std::string&) override {}

  void take(const archive::Entry& entry, std::string& out) override {
    if (entry.record.kind == RecordKind::snapshot_row) return snapshot_row(entry.record, out);
    if (entry.record.kind != RecordKind::wal) return;
    const auto decoded = pgoutput::decode(entry.record.body);
    if (!decoded) {
      if (archive::row_changes(entry.record.body) > 0) ++undecodable_;
      return;
    }
    record_ = &entry.record;
    std::visit([&](const auto& message) { line(message, out); }, decoded.message);
  }

 private:
  template <typename Other>
  void line(const Other&, std::string&) {}

  void line(const pgoutput::Relation& relation, std::string&) { tables_.learn(relation); }
  void line(const pgoutput::Type& type, std::string&) { tables_.learn(type); }
  void line(const pgoutput::Begin& begin, std::string&) {
    xid_ = begin.xid;
    time_us_ = begin.commit_time.unix_us();
  }
  void line(const pgoutput::Commit& commit, std::string&) { last_commit_lsn_ = commit.end_lsn; }
  void line(const pgoutput::Insert& insert, std::string& out) {
    const ExportedTable* table = find(insert.relation);
    if (table == nullptr) return;
    out += "{\"before\":null,\"after\":";
    append_row(out, *table, insert.row);
    end(out, *table, 'c');
  }
  void line(const pgoutput::Update& update, std::string& out) {
    const ExportedTable* table = find(update.relation);
    if (table == nullptr) return;
    const bool full = update.old_kind == OldRow::full;
    if (update.old_kind == OldRow::key || (full && key_differs(*table, update))) {
      // Another key is another row: one goes, one comes.
      before(out, *table, update.old_row);
      out += ",\"after\":null";
      end(out, *table, 'd');
      out += "{\"before\":null";
      after(out, *table, update, full);
      end(out, *table, 'c');
      return;
    }
    if (full)
      before(out, *table, update.old_row);
    else
      out += "{\"before\":null";
    after(out, *table, update, full);
    end(out, *table, 'u');
  }
  void line(const pgoutput::Delete& gone, std::string& out) {
    const ExportedTable* table = find(gone.relation);
    if (table == nullptr) return;
    before(out, *table, gone.old_row);
    out += ",\"after\":null";
    end(out, *table, 'd');
  }
  void line(const pgoutput::Truncate& truncate, std::string& out) {
    for (std::size_t i = 0; i < truncate.relations.size(); ++i) {
      const ExportedTable* table = find(truncate.relations[i]);
      if (table == nullptr) continue;
      out += "{\"before\":null,\"after\":null";
      end(out, *table, 't');
    }
  }
  void line(const pgoutput::LogicalMessage& message, std::string& out) {
    // Outside of transactions it has none, and no time but that of its arrival.
    if (!message.transactional()) {
      xid_ = 0;
      time_us_ = record_->received_us;
    }
    source(out, 'm', "", "", message.lsn);
    out += ",\"message\":{\"prefix\":";
    append_bytes_json(out, message.prefix);
    out += ",\"content\":\"";
    append_base64(out, message.content);
    out += "\"}}\n";
  }

  void snapshot_row(const RecordView& record, std::string& out) {
    const auto body = archive::decode_snapshot_row(record.body);
    const ExportedTable* table = body ? find(body->relation) : nullptr;
    scratch_.clear();
    if (table == nullptr || !copy_text_to_tuple(body->copy_line, scratch_)) return;
    const auto row = pgoutput::decode_tuple(scratch_);
    if (!row) return;
    record_ = &record;
    time_us_ = record.received_us;
    xid_ = 0;
    out += "{\"before\":null,\"after\":";
    append_row(out, *table, *row);
    end(out, *table, 'r');
  }

  static bool key_differs(const ExportedTable& table, const pgoutput::Update& update) {
    auto now = update.row.begin();
    auto was = update.old_row.begin();
    for (std::size_t i = 0;
         i < table.columns.size() && i < update.row.size() && i < update.old_row.size();
         ++i, ++now, ++was) {
      const pgoutput::Value value = *now;
      if (table.columns[i].is_key && value.kind != ValueKind::unchanged && value != *was) {
        return true;
      }
    }
    return false;
  }
  static void before(std::string& out, const ExportedTable& table, TupleView row) {
    out += "{\"before\":";
    append_row(out, table, row);
  }
  static void after(std::string& out, const ExportedTable& table, const pgoutput::Update& update,
                    bool full) {
    out += ",\"after\":";
    append_row(out, table, update.row, full ? update.old_row : TupleView());
  }
  const ExportedTable* find(std::uint32_t oid) {
    const ExportedTable* table = tables_.find(oid);
    if (table == nullptr) ++undecodable_;
    return table;
  }
  void end(std::string& out, const ExportedTable& table, char op) {
    out += ',';
    source(out, op, table.schema, table.name, record_->lsn);
    out += "}\n";
  }
  // "ts_ms", "ts_us" and "ts_ns": one time, thrice.
  static void times(std::string& out, std::int64_t us) {
    (out += "\"ts_ms\":") += std::to_string(us / 1000);
    (out += ",\"ts_us\":") += std::to_string(us);
    ((out += ",\"ts_ns\":") += std::to_string(us)) += "000";
  }
  // "source", "op" and when it arrived. Starts the object if it is a message, which has no rows.
  void source(std::string& out, char op, const std::string& schema, const std::string& table,
              std::uint64_t lsn) {
    if (op == 'm') out += '{';
    out +=
        "\"source\":{\"version\":\"rtreplay\",\"connector\":\"postgresql\",\"name\":\"rtreplay\",";
    times(out, time_us_);
    out += op == 'r' ? ",\"snapshot\":\"true\"" : ",\"snapshot\":\"false\"";
    out += ",\"db\":\"\",\"sequence\":\"[";
    out += last_commit_lsn_ == 0 ? "null" : "\\\"" + std::to_string(last_commit_lsn_) + "\\\"";
    ((out += ",\\\"") += std::to_string(lsn)) += "\\\"]\",\"schema\":";
    append_json_string(out, schema);
    out += ",\"table\":";
    append_json_string(out, table);
    (out += ",\"txId\":") += xid_ == 0 ? "null" : std::to_string(xid_);
    (out += ",\"lsn\":") += std::to_string(lsn);
    ((out += ",\"xmin\":null},\"transaction\":null,\"op\":\"") += op) += "\",";
    times(out, record_->received_us);
  }

  ExportedTables tables_;
  const RecordView* record_ = nullptr;
  std::uint64_t last_commit_lsn_ = 0;  // end of the last transaction before
  std::int64_t time_us_ = 0;
  std::uint32_t xid_ = 0;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<LineExport> make_debezium_export() {
  return std::make_unique<DebeziumExport>();
}

}  // namespace rt::rtreplay

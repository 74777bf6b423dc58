// Lines as the logical decoding plugin wal2json writes them: format-version 2 with include-xids,
// include-timestamp, include-lsn and include-pk (wal2json 2.5, README and its output on
// PostgreSQL 15). Two things pgoutput does not tell: the name of a domain (its base type stands
// instead), and transactions without a row.
#include "archive/bodies.h"
#include "base/text.h"
#include "base/units.h"
#include "pipe/bytes_json.h"
#include "proto/json_compact.h"
#include "proto/pg_types.h"
#include "rtreplay/exported_tables.h"
#include "rtreplay/line_export.h"

namespace rt::rtreplay {
namespace {

using pgoutput::OldRow;
using pgoutput::TupleView;
using pgoutput::ValueKind;

bool is_number_type(std::uint32_t oid) {
  using namespace pg_type;  // NOLINT
  return oid == kInt2 || oid == kInt4 || oid == kInt8 || oid == kFloat4 || oid == kFloat8 ||
         oid == kNumeric || oid == kOid;
}

void append_value(std::string& out, std::uint32_t type, const pgoutput::Value& value) {
  if (value.kind == ValueKind::null) {
    out += "null";
  } else if (type == pg_type::kBool) {
    out += value.bytes == "t" ? "true" : "false";
  } else if (is_number_type(type)) {  // NaN and infinities are no JSON
    out += is_json_number(value.bytes) ? value.bytes : std::string_view("null");
  } else if (type == pg_type::kBytea && value.bytes.substr(0, 2) == "\\x") {
    append_bytes_json(out, value.bytes.substr(2));
  } else {
    append_bytes_json(out, value.bytes);
  }
}

// "2026-03-29 00:30:00.1234+00": PostgreSQL leaves zeros at the end out.
std::string timestamp_text(std::int64_t unix_us) {
  std::string text = format_rfc3339(from_unix_us(unix_us));
  text[10] = ' ';
  text.pop_back();  // Z
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + "+00";
}

class Wal2jsonExport final : public LineExport {
 public:
  void begin(const archive::Origin&, std::string&) override {}

  void take(const archive::Entry& entry, std::string& out) override {
    if (entry.record.kind != RecordKind::wal) return;
    const auto decoded = pgoutput::decode(entry.record.body);
    if (!decoded) {
      if (archive::row_changes(entry.record.body) > 0) ++undecodable_;
      return;
    }
    lsn_ = entry.record.lsn;
    std::visit([&](const auto& message) { line(message, entry, out); }, decoded.message);
  }

 private:
  void start(std::string& out, char action, std::uint64_t lsn, std::uint64_t next_lsn = 0) {
    ((out += "{\"action\":\"") += action) += '"';
    if (xid_ != 0) (out += ",\"xid\":") += std::to_string(xid_);
    if (!time_.empty()) ((out += ",\"timestamp\":\"") += time_) += '"';
    ((out += ",\"lsn\":\"") += lsn_text(lsn)) += '"';
    if (next_lsn != 0) ((out += ",\"nextlsn\":\"") += lsn_text(next_lsn)) += '"';
  }

  template <typename Other>
  void line(const Other&, const archive::Entry&, std::string&) {}

  void line(const pgoutput::Relation& relation, const archive::Entry&, std::string&) {
    tables_.learn(relation);
  }
  void line(const pgoutput::Type& type, const archive::Entry&, std::string&) {
    tables_.learn(type);
  }
  // nextlsn of a Begin is that of its Commit, which is not known yet; it is left out.
  void line(const pgoutput::Begin& begin, const archive::Entry&, std::string& out) {
    xid_ = begin.xid;
    time_ = timestamp_text(begin.commit_time.unix_us());
    start(out, 'B', begin.final_lsn);
    out += "}\n";
  }
  void line(const pgoutput::Commit& commit, const archive::Entry&, std::string& out) {
    start(out, 'C', commit.commit_lsn, commit.end_lsn);
    out += "}\n";
    xid_ = 0;
    time_.clear();
  }
  void line(const pgoutput::LogicalMessage& message, const archive::Entry&, std::string& out) {
    const std::uint32_t xid = xid_;
    if (!message.transactional()) xid_ = 0;
    start(out, 'M', message.lsn);
    xid_ = xid;
    out += message.transactional() ? ",\"transactional\":true,\"prefix\":"
                                   : ",\"transactional\":false,\"prefix\":";
    append_bytes_json(out, message.prefix);
    out += ",\"content\":";
    append_bytes_json(out, message.content);
    out += "}\n";
  }
  void line(const pgoutput::Insert& insert, const archive::Entry&, std::string& out) {
    if (const ExportedTable* table = start_row(out, 'I', insert.relation)) {
      columns(out, *table, insert.row);
      end_row(out, *table);
    }
  }
  void line(const pgoutput::Update& update, const archive::Entry&, std::string& out) {
    if (const ExportedTable* table = start_row(out, 'U', update.relation)) {
      columns(out, *table, update.row);
      // Without an old row the key did not change.
      const bool old = update.old_kind != OldRow::none;
      identity(out, *table, old ? update.old_row : update.row, update.old_kind != OldRow::full);
      end_row(out, *table);
    }
  }
  void line(const pgoutput::Delete& gone, const archive::Entry&, std::string& out) {
    if (const ExportedTable* table = start_row(out, 'D', gone.relation)) {
      identity(out, *table, gone.old_row, gone.old_kind != OldRow::full);
      end_row(out, *table);
    }
  }
  void line(const pgoutput::Truncate& truncate, const archive::Entry&, std::string& out) {
    for (std::size_t i = 0; i < truncate.relations.size(); ++i) {
      if (start_row(out, 'T', truncate.relations[i]) != nullptr) out += "}\n";
    }
  }

  const ExportedTable* start_row(std::string& out, char action, std::uint32_t oid) {
    const ExportedTable* table = tables_.find(oid);
    if (table == nullptr) {
      ++undecodable_;
      return nullptr;
    }
    start(out, action, lsn_);
    (out += ",\"schema\":") += table->json_schema;
    (out += ",\"table\":") += table->json_name;
    return table;
  }

  static void append_column(std::string& out, const ExportedTable::Column& column, bool& first) {
    out += first ? "{\"name\":" : ",{\"name\":";
    first = false;
    out += column.json_name;
    out += ",\"type\":";
    append_json_string(out, column.type_name);
  }

  static void values(std::string& out, const ExportedTable& table, TupleView row, bool key_only) {
    bool first = true;
    std::size_t i = 0;
    for (const pgoutput::Value value : row) {
      if (i == table.columns.size()) break;
      const ExportedTable::Column& column = table.columns[i++];
      if (value.kind == ValueKind::unchanged || (key_only && !column.is_key)) continue;
      append_column(out, column, first);
      out += ",\"value\":";
      append_value(out, column.type_oid, value);
      out += '}';
    }
    out += ']';
  }
  static void columns(std::string& out, const ExportedTable& table, TupleView row) {
    out += ",\"columns\":[";
    values(out, table, row, false);
  }
  static void identity(std::string& out, const ExportedTable& table, TupleView row, bool key_only) {
    out += ",\"identity\":[";
    values(out, table, row, key_only);
  }
  static void end_row(std::string& out, const ExportedTable& table) {
    if (table.has_key) {
      out += ",\"pk\":[";
      bool first = true;
      for (const ExportedTable::Column& column : table.columns) {
        if (!column.is_key) continue;
        append_column(out, column, first);
        out += '}';
      }
      out += ']';
    }
    out += "}\n";
  }

  ExportedTables tables_;
  std::uint64_t lsn_ = 0;
  std::uint32_t xid_ = 0;
  std::string time_;
};

}  // namespace

std::unique_ptr<LineExport> make_wal2json_export() {
  return std::make_unique<Wal2jsonExport>();
}

}  // namespace rt::rtreplay

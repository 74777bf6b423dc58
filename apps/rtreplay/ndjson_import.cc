#include "rtreplay/ndjson_import.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "archive/bodies.h"
#include "archive/stream_tracker.h"
#include "base/position.h"
#include "base/text.h"
#include "proto/copy_text.h"
#include "proto/pgoutput_writer.h"
#include "rtreplay/import_tables.h"

namespace rt::rtreplay {
namespace {

using pgoutput::OldRow;
using pgoutput::Timestamp;
using pgoutput::ValueKind;

constexpr std::int64_t kLinesVersion = 1;

Json parse_line(std::string_view line) {
  Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) throw BadLine("not a JSON object");
  return json;
}

std::string type_of(const Json& line) {
  const auto found = line.find("type");
  return found != line.end() && found->is_string() ? found->get<std::string>() : std::string();
}

archive::Origin origin_of(const Json& line) {
  if (number_of(line, "version") > kLinesVersion) throw BadLine("written by a newer version");
  archive::Origin origin;
  const auto id = parse_decimal(bytes_of(line, "system_identifier"));
  if (!id) throw BadLine("\"system_identifier\" is no number");
  origin.system_identifier = *id;
  origin.timeline = oid_of(line, "timeline");
  origin.server_version = oid_of(line, "server_version");
  origin.consistent_point = lsn_of(line, "consistent_point", true);
  const Json& notes = field(line, "notes");
  if (!notes.is_object()) throw BadLine("\"notes\" is no object");
  origin.notes_json = notes.dump(-1, ' ', false, Json::error_handler_t::replace);
  return origin;
}

// One line, whatever names of the input stand in it.
tl::unexpected<Error> bad(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  }
  return fail(Code::usage, std::move(text),
              "lines of `rtreplay convert --as ndjson` and of `rtreplay cat` can be read");
}

}  // namespace

class NdjsonImport::State {
 public:
  // Throws BadLine.
  Result<void> take(const Json& line, const Put& put) {
    record_ = {};
    record_.prelude = flag_of(line, "prelude");
    record_.lsn = lsn_of(line, "at", false);
    record_.received_us =
        line.contains("recv_us") ? number_of(line, "recv_us") : time_us_or(line, received_us_);
    received_us_ = record_.received_us;
    body_.clear();
    if (line.contains("op")) return take_row(line, put);
    const std::string type = type_of(line);
    wal_body(type, line);
    if (body_.empty() && !other_body(type, line))
      throw BadLine(fmt::format("unknown type \"{}\"", type));
    if (record_.kind != RecordKind::wal || archive::wal_letter(body_) == 'B') {
      RT_CHECKED(end_made_up(put));
    }
    note_transaction();
    return emit(put);
  }

  Result<void> end_made_up(const Put& put) {
    if (!made_up_) return {};
    made_up_ = false;
    open_lsn_.reset();
    std::string commit;
    pgoutput::append_commit(commit,
                            {0, last_.lsn, last_.lsn, Timestamp::from_unix_us(made_up_time_us_)});
    return put({RecordKind::wal, false, last_.lsn, received_us_, commit});
  }

 private:
  Result<void> emit(const Put& put) {
    record_.body = body_;
    return put(record_);
  }

  static std::int64_t time_us_or(const Json& line, std::int64_t otherwise) {
    return line.contains("ts") ? time_us_of(line, "ts") : otherwise;
  }

  // Keeps track of which transaction is open.
  void note_transaction() {
    const char letter =
        record_.kind == RecordKind::wal && !record_.prelude ? archive::wal_letter(body_) : '\0';
    if (letter == 'B') {
      const auto decoded = pgoutput::decode(body_);
      const auto* begin = std::get_if<pgoutput::Begin>(&decoded.message);
      open_lsn_ = begin != nullptr ? std::optional(begin->final_lsn) : std::nullopt;
      next_index_ = 0;
    }
    if (letter == 'C') open_lsn_.reset();
    if (letter != '\0') next_index_ += archive::row_changes(body_);
    if (record_.kind == RecordKind::left_out) {
      next_index_ += archive::decode_left_out(body_).value_or(archive::LeftOutBody{}).changes;
    }
  }

  // Lines that are no row. The body stays empty if the type is none of these.
  void wal_body(const std::string& type, const Json& line);
  bool other_body(const std::string& type, const Json& line);
  void message_body(const Json& line);

  Result<void> take_row(const Json& line, const Put& put);
  void row_body(char op, const Json& line, const ImportTables::Table& table);
  void truncate_body(const Json& line, const ImportTables::Table& table);
  void snapshot_body(const Json& line, const ImportTables::Table& table);
  Result<void> open_transaction(const Json& line, const Position& at, const Put& put);

  ImportTables tables_;
  RecordView record_;
  std::string body_;
  std::int64_t received_us_ = 0;
  std::optional<std::uint64_t> open_lsn_;
  std::uint32_t next_index_ = 0;
  bool made_up_ = false;  // the open transaction follows from ids of rows
  std::int64_t made_up_time_us_ = 0;
  Position last_;
};

void NdjsonImport::State::wal_body(const std::string& type, const Json& line) {
  record_.kind = RecordKind::wal;
  if (type == "begin") {
    pgoutput::append_begin(
        body_, {lsn_of(line, "lsn", true), Timestamp::from_unix_us(time_us_of(line, "ts")),
                oid_of(line, "xid")});
  } else if (type == "commit") {
    pgoutput::append_commit(body_, {0, lsn_of(line, "lsn", true), lsn_of(line, "end_lsn", true),
                                    Timestamp::from_unix_us(time_us_of(line, "ts"))});
  } else if (type == "relation") {
    tables_.describe(line, body_);
  } else if (type == "type") {
    const std::string schema = name_of(line, "schema");
    const std::string name = name_of(line, "name");
    pgoutput::append(body_, pgoutput::Type{oid_of(line, "oid"), schema, name});
  } else if (type == "origin") {
    const std::string name = name_of(line, "name");
    pgoutput::append(body_, pgoutput::Origin{lsn_of(line, "lsn", true), name});
  } else if (type == "message") {
    message_body(line);
  }
}

void NdjsonImport::State::message_body(const Json& line) {
  const std::string prefix = name_of(line, "prefix");
  const std::string content = bytes_of(line, "content");
  pgoutput::append_logical_message(
      body_, {static_cast<std::uint8_t>(flag_of(line, "transactional") ? 1 : 0),
              lsn_of(line, "lsn", true), prefix, content});
}

bool NdjsonImport::State::other_body(const std::string& type, const Json& line) {
  if (type == "record") {
    const std::string kind = bytes_of(line, "kind");
    if (kind.size() != 1) throw BadLine("\"kind\" is no single letter");
    record_.kind = static_cast<RecordKind>(kind.front());
    body_ = bytes_of(line, "body");
  } else if (type == "event") {
    const std::string id = bytes_of(line, "id");
    const std::string event = line.contains("event") ? bytes_of(line, "event") : "message";
    const std::string data = bytes_of(line, "data");
    record_.kind = RecordKind::sse;
    archive::encode(body_, archive::SseBody{id, event, data});
  } else if (type == "notify") {
    const std::string channel = bytes_of(line, "channel");
    const std::string data = bytes_of(line, "data");
    record_.kind = RecordKind::notify;
    archive::encode(
        body_,
        archive::NotifyBody{channel, data, static_cast<std::uint32_t>(number_of(line, "pid", 0))});
  } else if (type == "redis") {
    if (line.contains("id")) throw BadLine("entries of Redis streams cannot be read from rows");
    const std::string channel = bytes_of(line, "channel");
    const std::string data = bytes_of(line, "data");
    record_.kind = RecordKind::redis;
    archive::encode(body_, archive::RedisBody{{}, channel, data});
  } else if (type == "gap" || type == "mark") {
    record_.kind = type == "gap" ? RecordKind::gap : RecordKind::mark;
    body_ = bytes_of(line, "text");
  } else {
    return false;
  }
  return true;
}

void NdjsonImport::State::row_body(char op, const Json& line, const ImportTables::Table& table) {
  const Json none;
  const auto found_old = line.find("old");
  const Json& old = found_old == line.end() ? none : *found_old;
  OldRow kind = OldRow::none;
  if (!old.is_null()) {
    const bool full = line.contains("identity") ? bytes_of(line, "identity") == "full"
                                                : old.size() == table.columns.size();
    kind = full ? OldRow::full : OldRow::key;
  }
  std::optional<ImportRow> before;
  if (kind != OldRow::none) {
    before.emplace(table, old, kind == OldRow::key ? ValueKind::null : ValueKind::unchanged);
  }
  if (op == 'D') {
    if (!before) throw BadLine("a deleted row has no \"old\"");
    return pgoutput::append_delete(body_, table.oid, kind, before->values());
  }
  const ImportRow now(table, field(line, "new"), ValueKind::unchanged);
  if (op == 'I') {
    pgoutput::append_insert(body_, table.oid, now.values());
  } else if (before) {
    pgoutput::append_update(body_, table.oid, kind, before->values(), now.values());
  } else {
    pgoutput::append_update(body_, table.oid, kind, {}, now.values());
  }
}

void NdjsonImport::State::truncate_body(const Json& line, const ImportTables::Table& table) {
  std::vector<std::uint32_t> oids;
  if (line.contains("oids")) {
    for (const Json& oid : field(line, "oids")) {
      if (!oid.is_number_unsigned()) throw BadLine("\"oids\" holds what is no oid");
      oids.push_back(oid.get<std::uint32_t>());
    }
  } else {
    oids.push_back(table.oid);
  }
  pgoutput::append_truncate(body_, static_cast<std::uint8_t>(number_of(line, "flags", 0)), oids);
}

void NdjsonImport::State::snapshot_body(const Json& line, const ImportTables::Table& table) {
  const ImportRow row(table, field(line, "new"), ValueKind::null);
  std::string tuple;
  pgoutput::append_tuple(tuple, row.values());
  std::string copy;
  const auto view = pgoutput::decode_tuple(tuple);
  if (!view || !tuple_to_copy_text(*view, copy)) throw BadLine("a snapshot row holds no text");
  record_.kind = RecordKind::snapshot_row;
  archive::encode(body_, archive::SnapshotRowBody{table.oid, copy});
}

// Lines of `cat` have no Begin and no Commit: another LSN is another transaction.
Result<void> NdjsonImport::State::open_transaction(const Json& line, const Position& at,
                                                   const Put& put) {
  if (open_lsn_ && !made_up_) {
    if (*open_lsn_ != at.lsn) throw BadLine("the row's id is of another transaction");
  } else if (!open_lsn_ || *open_lsn_ != at.lsn) {
    RT_CHECKED(end_made_up(put));
    if (at <= last_ && last_.lsn != 0) throw BadLine("ids must rise");
    made_up_ = true;
    made_up_time_us_ = time_us_of(line, "ts");
    open_lsn_ = at.lsn;
    next_index_ = 0;
    std::string begin;
    pgoutput::append_begin(begin, {at.lsn, Timestamp::from_unix_us(made_up_time_us_),
                                   static_cast<std::uint32_t>(number_of(line, "xid", 0))});
    RT_CHECKED(put({RecordKind::wal, false, at.lsn, received_us_, begin}));
  }
  last_ = at;
  if (at.index < next_index_) throw BadLine("ids must rise");
  if (at.index == next_index_) return {};
  std::string count;
  archive::encode(count, archive::LeftOutBody{at.index - next_index_});
  next_index_ = at.index;
  return put({RecordKind::left_out, false, 0, received_us_, count});
}

Result<void> NdjsonImport::State::take_row(const Json& line, const Put& put) {
  const std::string op = bytes_of(line, "op");
  std::string relation;
  const ImportTables::Table& table = tables_.of_row(line, relation);
  if (op == "S") {
    if (!relation.empty()) {
      RT_CHECKED(put({RecordKind::wal, true, 0, received_us_, relation}));
    }
    snapshot_body(line, table);
    return emit(put);
  }
  if (op.size() != 1 || std::string_view("IUDT").find(op) == std::string_view::npos) {
    throw BadLine(fmt::format("unknown op \"{}\"", op));
  }
  const auto at = Position::parse(bytes_of(line, "id"));
  if (!at) throw BadLine("\"id\" is no position");
  RT_CHECKED(open_transaction(line, *at, put));
  if (!relation.empty()) RT_CHECKED(put({RecordKind::wal, false, 0, received_us_, relation}));
  record_.kind = RecordKind::wal;
  if (op == "T")
    truncate_body(line, table);
  else
    row_body(op.front(), line, table);
  note_transaction();
  return emit(put);
}

NdjsonImport::NdjsonImport() : state_(std::make_unique<State>()) {}
NdjsonImport::~NdjsonImport() = default;

archive::Origin NdjsonImport::unknown_origin() {
  archive::Origin origin;
  origin.notes_json = R"({"kind":"import"})";
  return origin;
}

Result<std::optional<archive::Origin>> NdjsonImport::read_header(std::string_view line) {
  try {
    const Json json = parse_line(line);
    if (type_of(json) != "recording") return std::optional<archive::Origin>();
    return std::optional(origin_of(json));
  } catch (const BadLine& wrong) {
    return bad(wrong.what());
  }
}

Result<void> NdjsonImport::take(std::string_view line, const Put& put) {
  try {
    return state_->take(parse_line(line), put);
  } catch (const BadLine& wrong) {
    return bad(wrong.what());
  }
}

Result<void> NdjsonImport::finish(const Put& put) {
  return state_->end_made_up(put);
}

}  // namespace rt::rtreplay

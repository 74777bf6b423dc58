#include "rtreplay/rewriter.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "archive/bodies.h"
#include "archive/schema_memory.h"
#include "archive/wire.h"
#include "base/units.h"

namespace rt::rtreplay {
namespace {

RecordView wal_record(std::string_view body, std::int64_t received_us, bool prelude = false) {
  return {RecordKind::wal, prelude, 0, received_us, body};
}

bool is_transactional(std::string_view message) {  // 'M', u8 flags
  return message.size() > 1 && (message[1] & 1) != 0;
}

}  // namespace

std::string derived_notes(const std::string& notes_json, const std::string& verb,
                          const std::string& source) {
  auto notes = nlohmann::ordered_json::parse(notes_json, nullptr, false);
  if (!notes.is_object()) notes = nlohmann::ordered_json::object();
  auto& derived = notes["derived"];
  if (!derived.is_array()) derived = nlohmann::ordered_json::array();
  derived.push_back({{"verb", verb}, {"from", source}});
  return notes.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Rewriter> Rewriter::create(const std::string& path, const archive::Origin& origin) {
  UnfinishedOutput unfinished(path);
  archive::Writer writer =
      RT_TRY(archive::Writer::create(path, origin, archive::Moment::of(SystemClock())));
  return Rewriter(std::move(writer), std::move(unfinished));
}

Rewriter::Rewriter(archive::Writer writer, UnfinishedOutput unfinished)
    : writer_(std::move(writer)), unfinished_(std::move(unfinished)), now_(clock_.now()) {}

Result<void> Rewriter::append(const RecordView& record) {
  last_received_us_ = record.received_us;
  return writer_.append(record, now_);
}

// Where damage took the end of a transaction away it is void; the gap stands after it, else readers
// of whole transactions would not see it.
Result<void> Rewriter::settle_gap(bool at_begin, std::uint64_t lsn) {
  if (held_gap_.empty()) return {};
  const std::string text = std::exchange(held_gap_, {});
  if (at_begin && begun_ && lsn != open_lsn_) {
    RT_CHECKED(writer_.abandon(now_, last_received_us_));
    begun_ = false;
  }
  return append({RecordKind::gap, false, 0, last_received_us_, text});
}

Result<void> Rewriter::begin() {
  if (begun_ || held_begin_.empty()) return {};
  RT_CHECKED(append(
      {RecordKind::wal, false, held_.lsn, held_.received_us, std::string_view(held_begin_)}));
  if (!held_origin_.empty()) RT_CHECKED(append(wal_record(held_origin_, held_.received_us)));
  begun_ = true;
  return {};
}

Result<void> Rewriter::skip_to(std::uint32_t index) {
  if (index <= next_index_) return {};
  scratch_.clear();
  archive::encode(scratch_, archive::LeftOutBody{index - next_index_});
  RT_CHECKED(append({RecordKind::left_out, false, 0, last_received_us_, scratch_}));
  next_index_ = index;
  return {};
}

Result<void> Rewriter::announce_types(std::string_view relation, const StreamSchema& schema,
                                      bool prelude) {
  for (const std::uint32_t oid : archive::column_types(relation)) {
    const std::string_view type = schema.type(oid);
    if (type.empty()) continue;
    std::string& known = announced_types_[oid];
    if (known == type) continue;
    known = type;
    RT_CHECKED(append(wal_record(known, last_received_us_, prelude)));
  }
  return {};
}

Result<void> Rewriter::announce(std::uint32_t oid, const StreamSchema& schema,
                                bool in_transaction) {
  const StreamSchema::Relation* wanted = schema.find(oid);
  if (wanted == nullptr) return {};
  if (last_oid_ == oid && last_schema_ == &schema && last_version_ == wanted->version) return {};
  StreamSchema::Relation& known = announced_[oid];
  RT_CHECKED(announce_types(wanted->message, schema, !in_transaction));
  const bool described = known.described != wanted->described;
  if (described && !wanted->described.empty() && wanted->described != wanted->message) {
    RT_CHECKED(append(wal_record(wanted->described, last_received_us_, true)));
  }
  if (described || known.message != wanted->message) {
    RT_CHECKED(append(wal_record(wanted->message, last_received_us_, !in_transaction)));
  }
  known = *wanted;
  last_oid_ = oid;
  last_schema_ = &schema;
  last_version_ = wanted->version;
  return {};
}

Result<void> Rewriter::pass_wal(const RecordView& record, const Position& position,
                                const StreamSchema& schema) {
  const char letter = archive::wal_letter(record.body);
  if (letter == 'R' || letter == 'Y') return {};
  if (letter == 'B') {
    if (begun_ && position.lsn == open_lsn_) return {};  // it goes on after a gap
    open_lsn_ = position.lsn;
    held_begin_ = record.body;
    held_origin_.clear();
    held_ = {RecordKind::wal, false, record.lsn, record.received_us, {}};
    begun_ = false;
    next_index_ = 0;
    return {};
  }
  if (letter == 'C') {
    const bool written = begun_;
    begun_ = false;
    held_begin_.clear();
    return written ? append(record) : Result<void>();
  }
  if (held_begin_.empty() || (letter == 'M' && !is_transactional(record.body))) {
    ++others_;
    return append(record);
  }
  if (letter == 'O' && !begun_) {
    held_origin_ = record.body;
    return {};
  }
  RT_CHECKED(begin());
  const std::uint32_t changes = archive::row_changes(record.body);
  if (changes > 0 || letter == 'M') RT_CHECKED(skip_to(position.index));
  if (letter == 'T') {
    for (std::uint32_t i = 0; i < changes; ++i) {
      const auto oid = archive::load_be<std::uint32_t>(record.body.data() + 6 + 4 * i);
      RT_CHECKED(announce(oid, schema, true));
    }
  } else if (const auto oid = archive::relation_of(record.body)) {
    RT_CHECKED(announce(*oid, schema, true));
  }
  next_index_ += changes;
  return append(record);
}

Result<void> Rewriter::pass(const RecordView& record, const Position& position,
                            const StreamSchema& schema) {
  const bool at_begin = record.kind == RecordKind::wal && archive::wal_letter(record.body) == 'B';
  if (record.prelude && !at_begin) return {};
  RT_CHECKED(settle_gap(at_begin, position.lsn));
  switch (record.kind) {
    case RecordKind::wal: {
      RecordView plain = record;  // the Begin of a transaction whose start was lost
      plain.prelude = false;
      return pass_wal(plain, position, schema);
    }
    case RecordKind::left_out:
      return {};  // follows from the position of the next row
    case RecordKind::two_phase:
      return {};  // it holds rows that a filter is to take away; what committed comes anyhow
    case RecordKind::abandon:
      held_begin_.clear();
      return begun_ ? (begun_ = false, append(record)) : Result<void>();
    case RecordKind::gap:
      if (begun_) {
        held_gap_ = record.body;
        return {};
      }
      break;
    case RecordKind::snapshot_row:
      if (record.body.size() >= 4) {
        RT_CHECKED(announce(archive::load_le<std::uint32_t>(record.body.data()), schema, false));
      }
      break;
    default:
      break;
  }
  ++others_;
  return append(record);
}

Result<void> Rewriter::gap(std::string_view reason) {
  ++others_;
  return append({RecordKind::gap, false, 0, last_received_us_, reason});
}

Result<void> Rewriter::finish() {
  RT_CHECKED(settle_gap(true, ~std::uint64_t{0}));
  RT_CHECKED(writer_.close(clock_.now()));
  unfinished_.finished();
  return {};
}

Rewriter::Totals Rewriter::totals() const {
  const auto& written = writer_.totals();
  return {written.rows, written.transactions, others_, written.file_bytes};
}

std::string Rewriter::summary() const {
  const Totals all = totals();
  std::string out = fmt::format("{} rows in {} transactions", format_count(all.rows),
                                format_count(all.transactions));
  if (all.others > 0) out += fmt::format(", {} other records", format_count(all.others));
  return out + ", " + format_bytes(static_cast<double>(all.bytes));
}

}  // namespace rt::rtreplay

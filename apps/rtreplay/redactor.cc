#include "rtreplay/redactor.h"

#include <fmt/format.h>

#include <utility>

#include "archive/bodies.h"
#include "proto/copy_text.h"
#include "proto/json_scan.h"
#include "proto/pgoutput_writer.h"

namespace rt::rtreplay {

Redactor::Redactor(std::vector<RedactRule> rules, const PseudonymKey& key, Warn warn)
    : rules_(std::move(rules)), key_(key), warn_(std::move(warn)), matched_(rules_.size()) {
  // Which prefixes there will be nobody knows.
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    matched_[i] = rules_[i].of == RedactRule::Of::message;
  }
}

Result<RecordBatch*> Redactor::take(const RecordBatch& batch) {
  out_.clear();
  for (std::size_t i = 0; i < batch.size(); ++i) RT_CHECKED(take_one(batch[i]));
  return &out_;
}

Result<void> Redactor::take_one(const RecordView& record) {
  if (record.kind == RecordKind::snapshot_row) return take_snapshot_row(record);
  if (record.kind == RecordKind::abandon) in_stream_ = false;
  if (record.kind != RecordKind::wal) {
    out_.append(record);
    return {};
  }
  return take_message(record);
}

Result<void> Redactor::take_message(const RecordView& record) {
  const auto decoded = pgoutput::decode(record.body, {.in_stream = in_stream_ && !record.prelude});
  if (!decoded) {
    return fail(Code::refused, fmt::format("cannot redact a message that {}",
                                           pgoutput::decode_error_text(decoded.error)));
  }
  pgoutput::Message message = decoded.message;
  bool changed = false;
  if (std::holds_alternative<pgoutput::StreamStart>(message)) in_stream_ = true;
  if (std::holds_alternative<pgoutput::StreamStop>(message)) in_stream_ = false;
  if (const auto* type = std::get_if<pgoutput::Type>(&message)) cache_.apply(*type);
  if (const auto* relation = std::get_if<pgoutput::Relation>(&message)) {
    RT_CHECKED(describe(*relation, record.prelude));
  } else if (auto* insert = std::get_if<pgoutput::Insert>(&message)) {
    insert->row = RT_TRY(redact_row(insert->relation, insert->row, new_tuple_));
    changed = true;
  } else if (auto* update = std::get_if<pgoutput::Update>(&message)) {
    update->row = RT_TRY(redact_row(update->relation, update->row, new_tuple_));
    update->old_row = RT_TRY(redact_row(update->relation, update->old_row, old_tuple_));
    changed = true;
  } else if (auto* removed = std::get_if<pgoutput::Delete>(&message)) {
    removed->old_row = RT_TRY(redact_row(removed->relation, removed->old_row, old_tuple_));
    changed = true;
  } else if (auto* logical = std::get_if<pgoutput::LogicalMessage>(&message)) {
    changed = redact_content(*logical);
  }
  RecordView out = record;
  if (changed) {
    body_.clear();
    pgoutput::append(body_, message, {.in_stream = in_stream_}, decoded.stream_xid);
    out.body = body_;
  }
  out_.append(out);
  return {};
}

bool Redactor::redact_content(pgoutput::LogicalMessage& message) {
  bool changed = false;
  for (const RedactRule& rule : rules_) {
    if (!rule.matches(message)) continue;
    content_ = rtreplay::redact_content(std::string(message.content), rule, key_);
    message.content = content_;
    changed = true;
  }
  if (!changed && !std::exchange(told_clear_, true) && warn_) {
    warn_(
        fmt::format("logical messages with the prefix \"{0}\" are stored in clear: --redact "
                    "'message:{0}=drop' leaves their content out",
                    message.prefix));
  }
  return changed;
}

Result<void> Redactor::describe(const pgoutput::Relation& relation, bool made_by_source) {
  if (cache_.apply(relation) == pgoutput::RelationCache::Applied::full) {
    return fail(Code::limit, "cannot redact: too many tables");
  }
  const pgoutput::CachedRelation& known = *cache_.find(relation.oid);
  std::vector<Column>& columns = columns_[relation.oid];
  columns.clear();
  for (std::size_t rule = 0; rule < rules_.size(); ++rule) {
    if (!rules_[rule].matches(known)) continue;
    const auto index = known.find(rules_[rule].column);
    if (!index) continue;
    matched_[rule] = true;
    columns.push_back({*index, &rules_[rule]});
    // Only the source's own description tells the primary key from REPLICA IDENTITY FULL.
    const bool drops_key = rules_[rule].act == RedactRule::Act::drop &&
                           rules_[rule].members.empty() && known.columns[*index].is_key;
    if (made_by_source && drops_key) {
      return fail(
          Code::usage,
          fmt::format("cannot redact {}: the column belongs to the primary key", rules_[rule].text),
          "use =hash");
    }
  }
  return {};
}

// The source describes all published tables before the first row.
Result<void> Redactor::check_rules() const {
  for (std::size_t rule = 0; rule < rules_.size(); ++rule) {
    if (matched_[rule]) continue;
    return fail(
        Code::usage, fmt::format("--redact {} names no published column", rules_[rule].text),
        "nothing is recorded until it does: a misspelt name would store the value in clear");
  }
  return {};
}

Result<const std::vector<Redactor::Column>*> Redactor::columns_of(std::uint32_t oid) const {
  const auto found = columns_.find(oid);
  if (found == columns_.end()) {
    return fail(Code::refused, fmt::format("cannot redact a row of relation {}, which the server "
                                           "has not described",
                                           oid));
  }
  return &found->second;
}

Result<std::string> Redactor::redact_value(const Column& column, std::uint32_t oid,
                                           std::string_view value) const {
  // In a column of text there may be anything; where the members are cannot be told then.
  const bool in_json = !column.rule->members.empty() && is_json(value);
  if (in_json) return redact_json(value, *column.rule, key_);
  return pseudonym_of(key_, value, cache_.find(oid)->columns[column.index]);
}

Result<pgoutput::TupleView> Redactor::redact_row(std::uint32_t oid, pgoutput::TupleView row,
                                                 std::string& tuple) {
  if (!checked_) RT_CHECKED(check_rules());
  checked_ = true;
  const auto& columns = *RT_TRY(columns_of(oid));
  if (row.empty() || columns.empty()) return row;
  if (row.size() != cache_.find(oid)->columns.size()) {
    return fail(Code::refused, fmt::format("cannot redact a row of relation {}: it has {} columns",
                                           oid, row.size()));
  }
  std::vector<pgoutput::Value> values(row.begin(), row.end());
  std::vector<std::string> made(columns.size());  // before it is pointed into
  for (std::size_t i = 0; i < columns.size(); ++i) {
    pgoutput::Value& value = values[columns[i].index];
    const bool sent =
        value.kind != pgoutput::ValueKind::null && value.kind != pgoutput::ValueKind::unchanged;
    if (!sent) continue;
    if (value.kind == pgoutput::ValueKind::binary) {
      return fail(Code::refused, "cannot redact a value in binary form");
    }
    if (columns[i].rule->act == RedactRule::Act::drop && columns[i].rule->members.empty()) {
      value = {};
      continue;
    }
    made[i] = RT_TRY(redact_value(columns[i], oid, value.bytes));
    value.bytes = made[i];
  }
  tuple.clear();
  pgoutput::append_tuple(tuple, values);
  return *pgoutput::decode_tuple(tuple);
}

Result<void> Redactor::take_snapshot_row(const RecordView& record) {
  const auto row = archive::decode_snapshot_row(record.body);
  std::string tuple;
  if (!row || !copy_text_to_tuple(row->copy_line, tuple)) {
    return fail(Code::refused, "cannot redact a row of the snapshot");
  }
  const auto view = pgoutput::decode_tuple(tuple);
  if (!view) return fail(Code::refused, "cannot redact a row of the snapshot");
  const pgoutput::TupleView redacted = RT_TRY(redact_row(row->relation, *view, new_tuple_));
  body_.assign(record.body.substr(0, record.body.size() - row->copy_line.size()));
  if (!tuple_to_copy_text(redacted, body_)) {
    return fail(Code::refused, "cannot redact a row of the snapshot");
  }
  RecordView out = record;
  out.body = body_;
  out_.append(out);
  return {};
}

}  // namespace rt::rtreplay

#include "rtreplay/column_rewriter.h"

#include <fmt/format.h>

#include "archive/bodies.h"
#include "proto/copy_text.h"
#include "proto/pgoutput_writer.h"
#include "rtreplay/redact_rule.h"

namespace rt::rtreplay {

using pgoutput::Value;
using pgoutput::ValueKind;

ColumnRewriter::ColumnRewriter(std::vector<RewriteRule> rules, std::optional<PseudonymKey> key,
                               std::int64_t shift_us)
    : rules_(std::move(rules)), key_(key), shift_us_(shift_us), met_(rules_.size()) {}

std::vector<std::string> ColumnRewriter::unmet() const {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (!met_[i]) texts.push_back(rules_[i].text);
  }
  return texts;
}

Result<RecordView> ColumnRewriter::apply(const RecordView& record) {
  if (rules_.empty()) return record;
  if (record.kind == RecordKind::snapshot_row) return apply_snapshot_row(record);
  if (record.kind == RecordKind::wal) return apply_wal(record);
  return record;
}

Result<RecordView> ColumnRewriter::apply_wal(const RecordView& record) {
  const auto decoded = pgoutput::decode(record.body);
  if (!decoded) {
    return fail(Code::integrity, fmt::format("cannot rewrite a message that {}",
                                             pgoutput::decode_error_text(decoded.error)));
  }
  if (const auto* type = std::get_if<pgoutput::Type>(&decoded.message)) relations_.apply(*type);
  body_.clear();
  if (!RT_TRY(rewrite(decoded.message))) return record;
  RecordView out = record;
  out.body = body_;
  return out;
}

// True: what it became is in body_.
Result<bool> ColumnRewriter::rewrite(const pgoutput::Message& message) {
  made_count_ = 0;
  if (const auto* relation = std::get_if<pgoutput::Relation>(&message)) return describe(*relation);
  if (const auto* insert = std::get_if<pgoutput::Insert>(&message)) {
    const Table* table = touched(insert->relation);
    if (table == nullptr) return false;
    RT_CHECKED(edit(insert->relation, *table, insert->row, new_));
    pgoutput::append_insert(body_, insert->relation, new_);
    return true;
  }
  if (const auto* update = std::get_if<pgoutput::Update>(&message)) {
    const Table* table = touched(update->relation);
    if (table == nullptr) return false;
    RT_CHECKED(edit(update->relation, *table, update->old_row, old_));
    RT_CHECKED(edit(update->relation, *table, update->row, new_));
    pgoutput::append_update(body_, update->relation, update->old_kind, old_, new_);
    return true;
  }
  if (const auto* gone = std::get_if<pgoutput::Delete>(&message)) {
    const Table* table = touched(gone->relation);
    if (table == nullptr) return false;
    RT_CHECKED(edit(gone->relation, *table, gone->old_row, old_));
    pgoutput::append_delete(body_, gone->relation, gone->old_kind, old_);
    return true;
  }
  return false;
}

Result<bool> ColumnRewriter::describe(const pgoutput::Relation& relation) {
  if (relations_.apply(relation) == pgoutput::RelationCache::Applied::full) {
    return fail(Code::limit, "cannot rewrite: too many tables");
  }
  const pgoutput::CachedRelation& known = *relations_.find(relation.oid);
  Table table;
  table.columns.resize(known.columns.size());
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const RewriteRule& rule = rules_[i];
    const auto number = rule.matches(known) ? known.find(rule.column) : std::nullopt;
    if (!number) continue;
    met_[i] = true;
    RT_CHECKED(rule.check(known, known.columns[*number]));
    table.columns[*number] = &rule;
    table.touched = true;
    table.drops = table.drops || rule.act == RewriteRule::Act::drop;
  }
  const bool drops = table.drops;
  if (drops) {
    std::vector<pgoutput::Column> columns;
    std::size_t number = 0;
    for (const pgoutput::Column column : relation.columns) {
      const RewriteRule* rule = table.columns[number++];
      if (rule == nullptr || rule->act != RewriteRule::Act::drop) columns.push_back(column);
    }
    pgoutput::append_relation(body_, relation.oid, relation.schema, relation.name,
                              relation.identity, columns);
  }
  // The values of an old and a new row at most.
  made_.resize(std::max(made_.size(), 2 * table.columns.size()));
  tables_[relation.oid] = std::move(table);
  return drops;
}

const ColumnRewriter::Table* ColumnRewriter::touched(std::uint32_t oid) const {
  const auto found = tables_.find(oid);
  return found == tables_.end() || !found->second.touched ? nullptr : &found->second;
}

Result<void> ColumnRewriter::edit(std::uint32_t oid, const Table& table, pgoutput::TupleView row,
                                  std::vector<Value>& out) {
  out.clear();
  if (row.empty()) return {};
  const pgoutput::CachedRelation& relation = *relations_.find(oid);
  if (row.size() != table.columns.size()) {
    return fail(Code::integrity,
                fmt::format("a row of {}.{} has {} columns, the table has {}", relation.schema,
                            relation.name, row.size(), table.columns.size()));
  }
  std::size_t number = 0;
  for (Value value : row) {
    const RewriteRule* rule = table.columns[number];
    if (rule != nullptr) {
      if (rule->act == RewriteRule::Act::drop) {
        ++number;
        continue;
      }
      if (rule->act == RewriteRule::Act::null) {
        value = {};
      } else if (value.kind == ValueKind::text) {
        value.bytes = RT_TRY(edit_value(*rule, relation, number, value.bytes));
      } else if (value.kind == ValueKind::binary) {
        return fail(Code::refused, fmt::format("cannot rewrite {}: it is in binary", rule->text));
      }
    }
    out.push_back(value);
    ++number;
  }
  return {};
}

Result<std::string_view> ColumnRewriter::edit_value(const RewriteRule& rule,
                                                    const pgoutput::CachedRelation& relation,
                                                    std::size_t number, std::string_view value) {
  const pgoutput::CachedColumn& column = relation.columns[number];
  std::string& made = made_[made_count_++];
  switch (rule.act) {
    case RewriteRule::Act::hash:
      made = RT_TRY(pseudonym_of(*key_, value, column));
      return made;
    case RewriteRule::Act::add:
      if (const auto sum = add_to(value, rule.added, column.base_oid)) {
        made = std::to_string(*sum);
        return made;
      }
      break;
    case RewriteRule::Act::shift:
      if (auto shifted = shift_time(value, shift_us_, column.base_oid)) {
        made = std::move(*shifted);
        return made;
      }
      break;
    case RewriteRule::Act::drop:
    case RewriteRule::Act::null:
      break;
  }
  return fail(Code::refused, fmt::format("cannot rewrite {}: {} of {}.{} cannot be moved so far",
                                         rule.text, value, relation.schema, relation.name));
}

Result<RecordView> ColumnRewriter::apply_snapshot_row(const RecordView& record) {
  const auto body = archive::decode_snapshot_row(record.body);
  const Table* table = body ? touched(body->relation) : nullptr;
  if (table == nullptr) return record;
  tuple_.clear();
  const bool read = copy_text_to_tuple(body->copy_line, tuple_);
  const auto row = read ? pgoutput::decode_tuple(tuple_) : std::nullopt;
  if (!row) return fail(Code::integrity, "cannot rewrite a row of the snapshot: it is malformed");
  made_count_ = 0;
  RT_CHECKED(edit(body->relation, *table, *row, new_));
  std::string edited;
  pgoutput::append_tuple(edited, new_);
  body_.assign(record.body.substr(0, record.body.size() - body->copy_line.size()));
  if (!tuple_to_copy_text(*pgoutput::decode_tuple(edited), body_)) {
    return fail(Code::integrity, "cannot rewrite a row of the snapshot: it is not text");
  }
  RecordView out = record;
  out.body = body_;
  return out;
}

}  // namespace rt::rtreplay

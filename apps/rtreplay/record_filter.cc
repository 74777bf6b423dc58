#include "rtreplay/record_filter.h"

#include <fmt/format.h>

#include "archive/bodies.h"
#include "base/text.h"
#include "proto/copy_text.h"
#include "proto/pgoutput_writer.h"

namespace rt::rtreplay {
namespace {

using pgoutput::OldRow;
using pgoutput::TupleView;
using pgoutput::Value;
using pgoutput::ValueKind;

Result<char> parse_op(std::string_view text) {
  for (const std::string_view name : {"insert", "update", "delete", "truncate"}) {
    if (equal_ignoring_case(text, name) || equal_ignoring_case(text, name.substr(0, 1))) {
      return static_cast<char>(name.front() - 'a' + 'A');
    }
  }
  return fail(Code::usage, fmt::format("unknown operation \"{}\"", text),
              "one of insert, update, delete, truncate (or I, U, D, T)");
}

std::vector<Value> values_of(TupleView row) {
  return {row.begin(), row.end()};
}

}  // namespace

void RecordFilter::declare(CLI::App* app, Options& options) {
  app->add_option("--table", options.tables,
                  "Rows of these tables (orders, app.*, !audit); may be repeated")
      ->type_name("GLOB")
      ->allow_extra_args(false);
  app->add_option("--op", options.ops, "Rows that were changed so; may be repeated")
      ->type_name("insert|update|delete|truncate")
      ->delimiter(',')
      ->allow_extra_args(false);
  app->add_option("--where", options.conditions,
                  "Rows for which this holds ('status = failed'); all of several")
      ->type_name("'COLUMN OP VALUE'")
      ->allow_extra_args(false);
  app->add_option("-t,--topic", options.topics,
                  "Events of these channels, keys, names or message prefixes; may be repeated")
      ->type_name("GLOB")
      ->allow_extra_args(false);
}

Result<RecordFilter> RecordFilter::parse(const Options& options) {
  RecordFilter filter;
  filter.tables_ = NameGlobs(options.tables);
  filter.topics_ = NameGlobs(options.topics);
  for (const std::string& op : options.ops) filter.ops_ += RT_TRY(parse_op(op));
  for (const std::string& text : options.conditions) {
    filter.conditions_.push_back(RT_TRY(ColumnTest::parse(text)));
  }
  const bool asks_rows =
      !options.tables.empty() || !options.ops.empty() || !options.conditions.empty();
  const bool asks_events = !options.topics.empty();
  filter.rows_ = asks_rows || !asks_events;
  filter.events_ = asks_events || !asks_rows;
  return filter;
}

void RecordFilter::learn(const pgoutput::Relation& relation) {
  Table table;
  const std::string schema(relation.schema.empty() ? "pg_catalog" : relation.schema);
  table.kept = rows_ && tables_.match_table(schema, std::string(relation.name));
  table.columns.resize(conditions_.size());
  std::size_t number = 0;
  for (const pgoutput::Column column : relation.columns) {
    for (std::size_t i = 0; i < conditions_.size(); ++i) {
      if (conditions_[i].column() == column.name) table.columns[i] = number;
    }
    table.key.push_back(column.is_key());
    ++number;
  }
  known_[relation.oid] = std::move(table);
}

const RecordFilter::Table* RecordFilter::find(std::uint32_t oid) const {
  const auto found = known_.find(oid);
  return found == known_.end() ? nullptr : &found->second;
}

// A table without the column has no row for which the condition holds. Of a row that is only a key
// the other columns are not known.
Truth RecordFilter::test(const Table& table, TupleView row, bool key_only,
                         TupleView fallback) const {
  Truth all = Truth::yes;
  for (std::size_t i = 0; i < conditions_.size(); ++i) {
    const auto column = table.columns[i];
    if (!column || *column >= row.size()) return Truth::no;
    Value value = row[*column];
    if (value.kind == ValueKind::unchanged && *column < fallback.size()) value = fallback[*column];
    Truth one = conditions_[i].holds(value);
    if (key_only && !table.key[*column]) one = Truth::unknown;
    if (one == Truth::no) return one;
    if (one == Truth::unknown) all = one;
  }
  return all;
}

RecordFilter::Verdict RecordFilter::keep_unless(Truth truth) {
  if (truth == Truth::unknown) ++undecided_;
  return truth == Truth::no ? Verdict::drop : Verdict::keep;
}

void RecordFilter::replace(std::string body, std::uint32_t changes_before) {
  parts_.push_back({std::move(body), changes_before});
}

RecordFilter::Verdict RecordFilter::judge_update(const Table& table,
                                                 const pgoutput::Update& update) {
  const TupleView full = update.old_kind == OldRow::full ? update.old_row : TupleView();
  const Truth now = test(table, update.row, false, full);
  if (conditions_.empty() || update.old_kind == OldRow::none) return keep_unless(now);
  const Truth before = test(table, update.old_row, update.old_kind == OldRow::key);
  if (now == Truth::unknown || before == Truth::unknown) return keep_unless(now);
  if (now == before) return now == Truth::yes ? Verdict::keep : Verdict::drop;
  std::string body;
  if (now == Truth::yes) {
    std::vector<Value> row = values_of(update.row);
    for (std::size_t i = 0; i < row.size() && i < full.size(); ++i) {
      if (row[i].kind == ValueKind::unchanged) row[i] = full[i];
    }
    pgoutput::append_insert(body, update.relation, row);
  } else {
    pgoutput::append_delete(body, update.relation, update.old_kind, values_of(update.old_row));
  }
  replace(std::move(body));
  return Verdict::changed;
}

RecordFilter::Verdict RecordFilter::judge_delete(const Table& table, const pgoutput::Delete& gone) {
  return keep_unless(test(table, gone.old_row, gone.old_kind == OldRow::key));
}

RecordFilter::Verdict RecordFilter::judge_truncate(const pgoutput::Truncate& truncate) {
  const std::size_t count = truncate.relations.size();
  std::vector<std::uint32_t> run;
  const auto end_run = [&](std::size_t end) {
    if (run.empty()) return;
    std::string body;
    pgoutput::append_truncate(body, truncate.flags, run);
    replace(std::move(body), static_cast<std::uint32_t>(end - run.size()));
    run.clear();
  };
  for (std::size_t i = 0; i < count; ++i) {
    const Table* table = find(truncate.relations[i]);
    if (table != nullptr && table->kept)
      run.push_back(truncate.relations[i]);
    else
      end_run(i);
  }
  if (run.size() == count) return Verdict::keep;
  end_run(count);
  return parts_.empty() ? Verdict::drop : Verdict::changed;
}

RecordFilter::Verdict RecordFilter::judge_wal(const RecordView& record) {
  const auto decoded = pgoutput::decode(record.body);
  if (!decoded) return rows_ ? Verdict::keep : Verdict::drop;
  const pgoutput::Message& message = decoded.message;
  if (const auto* relation = std::get_if<pgoutput::Relation>(&message)) {
    learn(*relation);
    return Verdict::keep;
  }
  if (const auto* said = std::get_if<pgoutput::LogicalMessage>(&message)) {
    return events_ && topics_.match(std::string(said->prefix)) ? Verdict::keep : Verdict::drop;
  }
  if (const auto* insert = std::get_if<pgoutput::Insert>(&message)) {
    const Table* table = find(insert->relation);
    if (table == nullptr || !table->kept || !keeps_op('I')) return Verdict::drop;
    return keep_unless(test(*table, insert->row, false));
  }
  if (const auto* update = std::get_if<pgoutput::Update>(&message)) {
    const Table* table = find(update->relation);
    if (table == nullptr || !table->kept || !keeps_op('U')) return Verdict::drop;
    return judge_update(*table, *update);
  }
  if (const auto* gone = std::get_if<pgoutput::Delete>(&message)) {
    const Table* table = find(gone->relation);
    if (table == nullptr || !table->kept || !keeps_op('D')) return Verdict::drop;
    return judge_delete(*table, *gone);
  }
  if (const auto* truncate = std::get_if<pgoutput::Truncate>(&message)) {
    return keeps_op('T') ? judge_truncate(*truncate) : Verdict::drop;
  }
  return Verdict::keep;  // Begin, Commit and their like
}

RecordFilter::Verdict RecordFilter::judge(const RecordView& record) {
  parts_.clear();
  const auto topic = [&](std::string_view name) {
    return events_ && topics_.match(std::string(name)) ? Verdict::keep : Verdict::drop;
  };
  switch (record.kind) {
    case RecordKind::wal:
      return judge_wal(record);
    case RecordKind::snapshot_row: {
      const auto body = archive::decode_snapshot_row(record.body);
      const Table* table = body ? find(body->relation) : nullptr;
      if (table == nullptr || !table->kept || !keeps_op('I')) return Verdict::drop;
      std::string tuple;
      if (conditions_.empty() || !copy_text_to_tuple(body->copy_line, tuple)) return Verdict::keep;
      const auto row = pgoutput::decode_tuple(tuple);
      return row ? keep_unless(test(*table, *row, false)) : Verdict::keep;
    }
    case RecordKind::sse:
      return topic(archive::decode_sse(record.body).value_or(archive::SseBody{}).event);
    case RecordKind::notify:
      return topic(archive::decode_notify(record.body).value_or(archive::NotifyBody{}).channel);
    case RecordKind::redis:
      return topic(archive::decode_redis(record.body).value_or(archive::RedisBody{}).channel);
    case RecordKind::http:
    case RecordKind::receipt:
      return events_ && topics_.empty() ? Verdict::keep : Verdict::drop;
    default:
      return Verdict::keep;  // marks, gaps, the bounds of snapshots
  }
}

}  // namespace rt::rtreplay

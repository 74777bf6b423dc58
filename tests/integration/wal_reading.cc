#include "integration/wal_reading.h"

#include <cstring>

namespace rt::test {

namespace {

std::string row_text(pgoutput::TupleView row) {
  std::string text;
  bool first = true;
  for (const pgoutput::Value& value : row) {
    if (!first) text += '|';
    first = false;
    if (value.kind == pgoutput::ValueKind::null) {
      text += "\\N";
    } else if (value.kind == pgoutput::ValueKind::unchanged) {
      text += "\\U";
    } else {
      text += value.bytes;
    }
  }
  return text;
}

std::string column_names(const pgoutput::Relation& relation, bool keys_only) {
  std::string text;
  for (const pgoutput::Column& column : relation.columns) {
    if (keys_only && !column.is_key()) continue;
    if (!text.empty()) text += ',';
    text += column.name;
  }
  return text;
}

}  // namespace

void Consumed::take(const RecordView& record, std::uint64_t durable_lsn) {
  switch (record.kind) {
    case RecordKind::snapshot_begin:
      ++snapshots;
      snapshot_rows.clear();
      snapshot_json = record.body;
      break;
    case RecordKind::snapshot_row:
      snapshot_rows.emplace_back(record.body.substr(4));
      break;
    case RecordKind::snapshot_end:
      consistent_point = record.lsn;
      break;
    case RecordKind::keepalive:
      last_keepalive = record.lsn;
      break;
    case RecordKind::abandon:
      ++abandons;
      roll_back();
      break;
    case RecordKind::gap:
      ++gaps;
      break;
    default:
      take_message(record, durable_lsn);
  }
}

void Consumed::roll_back() {
  if (!in_transaction) return;
  in_transaction = false;
  inserted.resize(before_.inserted);
  updated.resize(before_.updated);
  deleted.resize(before_.deleted);
  old_rows.resize(before_.old_rows);
  truncates = before_.truncates;
  dropped = before_.dropped;
  positions.erase(positions.lower_bound({commit_lsn, 0}), positions.end());
}

bool Consumed::count_row() {
  if (skipping) {
    ++dropped;
    return false;
  }
  if (!positions.emplace(commit_lsn, index++).second) {
    ++doubled;
    return false;
  }
  return true;
}

void Consumed::take_message(const RecordView& record, std::uint64_t durable_lsn) {
  const auto decoded = pgoutput::decode(record.body);
  if (!decoded) throw std::runtime_error(pgoutput::decode_error_text(decoded.error));
  const auto& message = decoded.message;
  if (const auto* relation = std::get_if<pgoutput::Relation>(&message)) {
    auto& list = record.prelude ? key_columns : relation_columns;
    list.push_back(column_names(*relation, record.prelude));
  } else if (const auto* begin = std::get_if<pgoutput::Begin>(&message)) {
    in_transaction = true;
    commit_lsn = begin->final_lsn;
    skipping = commit_lsn < durable_lsn;
    index = 0;
    before_ = {inserted.size(), updated.size(), deleted.size(),
               old_rows.size(), truncates,      dropped};
  } else if (const auto* commit = std::get_if<pgoutput::Commit>(&message)) {
    in_transaction = false;
    end_lsn = commit->end_lsn;
  } else if (const auto* insert = std::get_if<pgoutput::Insert>(&message)) {
    if (count_row()) inserted.push_back(row_text(insert->row));
  } else if (const auto* update = std::get_if<pgoutput::Update>(&message)) {
    if (!count_row()) return;
    updated.push_back(row_text(update->row));
    old_rows.push_back(row_text(update->old_row));
  } else if (const auto* removed = std::get_if<pgoutput::Delete>(&message)) {
    if (!count_row()) return;
    deleted.push_back(row_text(removed->old_row));
    old_rows.push_back(row_text(removed->old_row));
  } else if (std::holds_alternative<pgoutput::Truncate>(message)) {
    if (count_row()) ++truncates;
  } else if (std::holds_alternative<pgoutput::LogicalMessage>(message)) {
    ++messages;
  }
}

WalReading::WalReading(WalSourceOptions options, Habits habits)
    : habits_(std::move(habits)),
      source_(std::move(options),
              [this](const WalNotice& notice) {
                const std::lock_guard lock(mutex_);
                consumed_.notices.push_back(notice.text);
                changed_.notify_all();
              }),
      thread_([this](std::stop_token token) {
        Result<void> result =
            source_.run(token, [this](RecordBatch& batch) { return take(batch); });
        const std::lock_guard lock(mutex_);
        result_ = std::move(result);
        ended_ = true;
        changed_.notify_all();
      }) {}

Result<void> WalReading::take(RecordBatch& batch) {
  if (habits_.before_take) habits_.before_take();
  std::uint64_t safe = 0;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      consumed_.take(batch[i], habits_.durable_lsn);
      if (batch[i].kind == RecordKind::wal && !consumed_.in_transaction) {
        safe = std::max(safe, batch[i].lsn);  // a message outside transactions
      }
    }
    safe = std::max({safe, consumed_.end_lsn, consumed_.consistent_point});
    changed_.notify_all();
  }
  if (habits_.confirm) source_.confirm(safe);
  return {};
}

bool WalReading::wait_for(const std::function<bool(const Consumed&)>& predicate,
                          std::chrono::seconds patience) {
  std::unique_lock lock(mutex_);
  // Between transactions only: an open one does not count.
  const auto holds = [&] { return !consumed_.in_transaction && predicate(consumed_); };
  changed_.wait_for(lock, patience, [&] { return ended_ || holds(); });
  return holds();
}

bool WalReading::wait_streaming() {
  return wait_for([](const Consumed& c) {
    return !c.notices.empty() && c.notices.back().rfind("streaming", 0) == 0;
  });
}

bool WalReading::wait_ended(std::chrono::seconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [&] { return ended_; });
}

Result<void> WalReading::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  return result_;
}

Consumed WalReading::consumed() {
  const std::lock_guard lock(mutex_);
  Consumed whole = consumed_;
  whole.roll_back();
  return whole;
}

}  // namespace rt::test

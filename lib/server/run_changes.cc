#include "server/run_changes.h"

#include <algorithm>
#include <cstring>

#include "archive/bodies.h"
#include "base/log.h"
#include "proto/copy_text.h"

namespace rt::server {

using pgoutput::TupleView;

namespace {

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

}  // namespace

RunChanges::RunChanges(std::string table, RunStore& store, RunGoFrames* go)
    : table_(std::move(table)), store_(store), go_(go), encoder_(go) {}

void RunChanges::take(const RecordView& record, const Listener& listener) {
  switch (record.kind) {
    case RecordKind::wal:
      take_message(record.body, record.prelude, listener);
      break;
    case RecordKind::snapshot_begin:
      store_.clear();
      break;
    case RecordKind::snapshot_row:
      take_snapshot_row(record.body);
      break;
    case RecordKind::snapshot_end:
      // Transactions that commit at the consistent point or later are not in the snapshot.
      position_ = Position{record.lsn - 1, Position::kEnd};
      end_lsn_ = record.lsn;
      listener.on_snapshot(position_);
      break;
    case RecordKind::left_out:
      if (const auto body = archive::decode_left_out(record.body)) next_index_ += body->changes;
      break;
    default:
      break;  // keepalives, marks and other producers' records are not run changes
  }
}

void RunChanges::take_message(std::string_view body, bool prelude, const Listener& listener) {
  const pgoutput::DecodeResult decoded = pgoutput::decode(body);
  if (!decoded) {
    ++damaged_;
    return;
  }
  std::visit(Overloaded{
                 [&](const pgoutput::Begin& begin) {
                   commit_lsn_ = begin.final_lsn;
                   commit_us_ = begin.commit_time.unix_us();
                   next_index_ = 0;
                 },
                 [&](const pgoutput::Commit& commit) {
                   end_lsn_ = commit.end_lsn;
                   last_commit_us_ = commit_us_;
                 },
                 [&](const pgoutput::Relation& relation) { take_relation(relation); },
                 [&](const pgoutput::Insert& insert) {
                   if (!prelude) take_row(insert.relation, std::nullopt, insert.row, listener);
                 },
                 [&](const pgoutput::Update& update) {
                   std::optional<TupleView> old_row;
                   if (update.old_kind == pgoutput::OldRow::full) old_row = update.old_row;
                   take_row(update.relation, old_row, update.row, listener);
                 },
                 [&](const pgoutput::Delete& deleted) {
                   take_row(deleted.relation, deleted.old_row, std::nullopt, listener);
                 },
                 [&](const pgoutput::Truncate& truncate) { take_truncate(truncate, listener); },
                 [&](const pgoutput::LogicalMessage& message) {
                   // Nothing to us, but the source is kept waiting until it is confirmed.
                   if (!message.transactional()) end_lsn_ = std::max(end_lsn_, message.lsn);
                 },
                 [](const auto&) {},
             },
             decoded.message);
}

void RunChanges::take_relation(const pgoutput::Relation& relation) {
  if (!is_table(relation, table_)) return;
  auto table = RunTable::describe(relation);
  if (!table) {
    log::error("the runs table cannot be read", log::field("reason", table.error().text));
    return;
  }
  tables_[relation.oid] = std::move(*table);
}

void RunChanges::take_row(std::uint32_t relation, std::optional<TupleView> old_row,
                          std::optional<TupleView> row, const Listener& listener) {
  const Position position{commit_lsn_, next_index_++};
  if (!is_news(position)) return;
  const auto found = tables_.find(relation);
  if (found == tables_.end()) {  // another published table
    position_ = position;
    return;
  }
  // What the run was is what the store has: it is complete where the old row may be a key only.
  const RunTable& table = *found->second;
  const std::string_view old_id = table.id_of(old_row ? *old_row : *row);
  const std::uint32_t old_slot = store_.find(hash_name(Role::run, old_id));
  std::optional<TupleView> before;
  if (old_slot != RunStore::kNone) {
    before_copy_.assign(store_.row(old_slot).tuple.bytes());
    before = pgoutput::decode_tuple(before_copy_);
  }
  std::optional<TupleView> after;
  if (row) {
    merged_.clear();
    append_merged(merged_, *row, before.value_or(old_row.value_or(TupleView())));
    after = pgoutput::decode_tuple(merged_);
  }
  if (before && after && table.id_of(*after) != old_id) {
    // A new primary key: the old run is gone, another one is there.
    emit(found->second, before, std::nullopt, old_slot, {position, position_, commit_us_, 0},
         listener);
    before.reset();
  }
  if (before || after) {
    emit(found->second, before, after, before ? old_slot : RunStore::kNone,
         {position, position, commit_us_, 0}, listener);
  }
  position_ = position;
}

void RunChanges::emit(const std::shared_ptr<const RunTable>& table, std::optional<TupleView> before,
                      std::optional<TupleView> after, std::uint32_t old_slot, RunEncoder::At at,
                      const Listener& listener) {
  encoder_.read(*table, before, after);
  at.run = old_slot;
  if (after) {
    at.run = store_.put(table, *after, encoder_.facts_after().view());
  } else if (old_slot != RunStore::kNone) {
    store_.remove(old_slot);
  }
  listener.on_event(encoder_.encode(at));
}

void RunChanges::take_truncate(const pgoutput::Truncate& truncate, const Listener& listener) {
  for (std::size_t i = 0; i < truncate.relations.size(); ++i) {
    const Position position{commit_lsn_, next_index_++};
    if (!is_news(position)) continue;
    const auto found = tables_.find(truncate.relations[i]);
    if (found != tables_.end()) {
      for (std::uint32_t slot = 0; slot < store_.slot_end(); ++slot) {
        const RunStore::Row row = store_.row(slot);
        if (row.table == nullptr) continue;
        before_copy_.assign(row.tuple.bytes());
        emit(found->second, pgoutput::decode_tuple(before_copy_), std::nullopt, slot,
             {position, position_, commit_us_, slot}, listener);
      }
    }
    position_ = position;
  }
}

void RunChanges::take_snapshot_row(std::string_view body) {
  std::uint32_t oid = 0;
  if (body.size() < sizeof oid) {
    ++damaged_;
    return;
  }
  std::memcpy(&oid, body.data(), sizeof oid);  // little-endian, as the record format has it
  const auto found = tables_.find(oid);
  if (found == tables_.end()) return;
  snapshot_tuple_.clear();
  if (!copy_text_to_tuple(body.substr(sizeof oid), snapshot_tuple_)) {
    ++damaged_;
    return;
  }
  const auto tuple = pgoutput::decode_tuple(snapshot_tuple_);
  if (!tuple) {
    ++damaged_;
    return;
  }
  OwnedRunFacts facts;
  found->second->read_facts(facts, *tuple);
  const std::uint32_t slot = store_.put(found->second, *tuple, facts.view());
  if (go_ != nullptr) go_->number(slot);
}

}  // namespace rt::server

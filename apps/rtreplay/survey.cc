#include "rtreplay/survey.h"

#include <algorithm>
#include <bit>
#include <unordered_set>

#include "archive/bodies.h"
#include "proto/pgoutput_two_phase.h"

namespace rt::rtreplay {
namespace {

constexpr std::size_t kSlices = 64;  // as wide as a graph in a terminal may be

// A recorder that was killed may have stored the end of a prepared transaction twice.
struct PreparedCounter {
  Survey::Prepared counts;
  std::unordered_set<std::uint32_t> waiting;  // xids

  void count(std::string_view body) {
    using Kind = pgoutput::TwoPhase::Kind;
    const auto message = pgoutput::decode_two_phase(body);
    if (!message) return;
    if (message->kind == Kind::prepare && waiting.insert(message->xid).second) ++counts.all;
    const bool commits = message->kind == Kind::commit_prepared;
    if (!commits && message->kind != Kind::rollback_prepared) return;
    if (waiting.erase(message->xid) > 0) ++(commits ? counts.committed : counts.rolled_back);
  }
};

// Counts one record of committed transactions.
class Counter {
 public:
  Counter(Survey& survey, std::int64_t from_us, std::int64_t to_us)
      : survey_(survey), from_us_(from_us), span_us_(std::max<std::int64_t>(1, to_us - from_us)) {
    survey_.rate.assign(kSlices, 0);
  }

  void count(const archive::Entry& entry) {
    const RecordView& record = entry.record;
    tables_.count(record, 0);
    if (record.prelude) return;
    switch (record.kind) {
      case RecordKind::wal:
        return count_wal(entry);
      case RecordKind::two_phase:
        return prepared_.count(record.body);
      case RecordKind::snapshot_row:
        ++survey_.snapshot_rows;
        return;
      case RecordKind::gap:
        survey_.gaps.emplace_back(record.body);
        survey_.gap_times_us.push_back(entry.t_hi);
        return;
      case RecordKind::sse: {
        const auto body = archive::decode_sse(record.body);
        if (body && !body->id.empty()) identify(std::string(body->id));
        return event(entry.t_hi);
      }
      case RecordKind::notify:
      case RecordKind::redis:
      case RecordKind::http:
        return event(entry.t_hi);
      default:
        return;
    }
  }

  void finish() {
    for (auto& [oid, counts] : tables_.relations) {
      archive::RelationCounts& sum = survey_.relations[counts.name];
      sum.name = counts.name;
      sum.inserts += counts.inserts;
      sum.updates += counts.updates;
      sum.deletes += counts.deletes;
      sum.truncates += counts.truncates;
    }
    survey_.marks = std::move(tables_.markers);
    survey_.prepared = prepared_.counts;
  }

 private:
  void count_wal(const archive::Entry& entry) {
    const char letter = archive::wal_letter(entry.record.body);
    if (letter == 'B') {
      happened(entry.t_hi);
      rows_in_transaction_ = 0;
    }
    if (letter == 'C') {
      ++survey_.transactions;
      survey_.largest_rows = std::max(survey_.largest_rows, rows_in_transaction_);
      if (rows_in_transaction_ > 0) {
        const auto width = static_cast<std::size_t>(std::bit_width(rows_in_transaction_));
        ++survey_.sizes[std::min(width, survey_.sizes.size()) - 1];
      }
    }
    const std::uint32_t changes = archive::row_changes(entry.record.body);
    if (changes == 0) return;
    survey_.rows += changes;
    rows_in_transaction_ += changes;
    survey_.rate[slice(entry.t_hi)] += changes;
    if (first_.lsn == 0) first_ = entry.position;
    last_ = {entry.position.lsn, entry.position.index + changes - 1};
    if (survey_.first_id.empty()) survey_.first_id = first_.text();
    last_is_row_ = true;
  }

  void event(std::int64_t time_us) {
    happened(time_us);
    ++survey_.events;
    ++survey_.rate[slice(time_us)];
  }

  void identify(std::string id) {
    if (survey_.first_id.empty()) survey_.first_id = id;
    survey_.last_id = std::move(id);
    last_is_row_ = false;
  }

  void happened(std::int64_t time_us) {
    if (survey_.first_us == 0) survey_.first_us = time_us;
    survey_.last_us = std::max(survey_.last_us, time_us);
  }

  std::size_t slice(std::int64_t time_us) const {
    const double part = static_cast<double>(time_us - from_us_) / static_cast<double>(span_us_);
    return std::min(kSlices - 1, static_cast<std::size_t>(std::max(0.0, part) * kSlices));
  }

 public:
  // The id of the last row is made once, not per row.
  void take_last_id() {
    if (last_is_row_) survey_.last_id = last_.text();
  }

 private:
  Survey& survey_;
  std::int64_t from_us_;
  std::int64_t span_us_;
  archive::SegmentTables tables_;
  PreparedCounter prepared_;
  Position first_{};
  Position last_{};
  bool last_is_row_ = false;
  std::uint64_t rows_in_transaction_ = 0;
};

// Time of the first event.
Result<std::int64_t> first_time(archive::Reader& reader) {
  archive::Entry entry;
  while (RT_TRY(reader.next(entry))) {
    if (entry.t_hi != 0 && !entry.record.prelude) break;
  }
  RT_CHECKED(reader.rewind());
  return entry.t_hi;
}

}  // namespace

Result<Survey> survey(const std::string& path) {
  archive::ReadOptions options;
  options.committed_only = true;
  options.on_damage = archive::OnDamage::salvage;
  archive::Reader reader = RT_TRY(archive::Reader::open(path, options));
  Survey out;
  out.header = reader.header();
  out.segments = reader.segment_count();
  out.blocks = reader.block_count();
  out.file_bytes = reader.file_bytes();
  for (std::size_t i = 0; i < reader.block_count(); ++i) out.raw_bytes += reader.block(i).raw_bytes;
  out.closed = reader.segment(reader.segment_count() - 1).footer.has_value();

  const std::int64_t from_us = RT_TRY(first_time(reader));
  const std::int64_t to_us =
      reader.block_count() == 0 ? 0 : reader.block(reader.block_count() - 1).t_hi;
  Counter counter(out, from_us, to_us);
  archive::Entry entry;
  while (RT_TRY(reader.next(entry))) counter.count(entry);
  counter.finish();
  counter.take_last_id();
  out.abandoned = reader.cut_off_transactions();
  out.damages = reader.skipped();
  return out;
}

}  // namespace rt::rtreplay

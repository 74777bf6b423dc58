#include "pipe/record_stamp.h"

#include <fmt/format.h>

#include "archive/bodies.h"
#include "archive/stream_tracker.h"
#include "base/position.h"
#include "proto/big_endian.h"

namespace rt {
namespace {

// Where things stand in pgoutput messages: PostgreSQL 15, section 55.9.
constexpr std::size_t kBeginBytes = 21;  // 'B', i64 final LSN, i64 time, i32 xid
constexpr std::size_t kBeginLsn = 1;
constexpr std::size_t kBeginTime = 9;
constexpr std::size_t kCommitBytes = 26;  // 'C', i8, i64 commit LSN, i64 end LSN, i64 time
constexpr std::size_t kCommitLsn = 2;
constexpr std::size_t kCommitEnd = 10;
constexpr std::size_t kCommitTime = 18;
constexpr std::size_t kMessageBytes = 10;  // 'M', i8 flags, i64 LSN, ..
constexpr std::size_t kMessageLsn = 2;

void store(std::string& body, std::size_t offset, std::uint64_t value) {
  for (std::size_t i = 0; i < 8; ++i) body[offset + i] = static_cast<char>(value >> (56 - 8 * i));
}

std::string round_id(std::string_view id, std::uint32_t round, std::uint64_t lsn_added) {
  if (id.empty()) return {};
  if (auto position = Position::parse(id)) {
    position->lsn += lsn_added;
    return position->text();
  }
  return fmt::format("{}~{}", id, round + 1);
}

}  // namespace

void RecordStamp::move_lsn(std::size_t offset) {
  const auto lsn = load_big_endian<std::uint64_t>(body_.data() + offset);
  if (lsn != 0) store(body_, offset, rules_.lsn(lsn));
}

void RecordStamp::move_time(std::size_t offset) {
  const auto at = load_big_endian<std::uint64_t>(body_.data() + offset);
  store(body_, offset, at + static_cast<std::uint64_t>(rules_.later_us));
}

bool RecordStamp::stamp_wal(std::string_view body) {
  const char letter = archive::wal_letter(body);
  if (letter == 'B' && body.size() >= kBeginBytes) {
    body_.assign(body);
    move_lsn(kBeginLsn);
    move_time(kBeginTime);
  } else if (letter == 'C' && body.size() >= kCommitBytes) {
    body_.assign(body);
    move_lsn(kCommitLsn);
    move_lsn(kCommitEnd);
    move_time(kCommitTime);
  } else if (letter == 'M' && body.size() >= kMessageBytes) {
    body_.assign(body);
    move_lsn(kMessageLsn);
  } else {
    return false;
  }
  return true;
}

bool RecordStamp::stamp_event(const RecordView& record) {
  body_.clear();
  if (record.kind == RecordKind::sse) {
    auto event = archive::decode_sse(record.body);
    if (!event) return false;
    const std::string id = rules_.event_id(event->id);
    event->id = id;
    archive::encode(body_, *event);
    return true;
  }
  auto event = archive::decode_redis(record.body);
  if (!event || event->id.empty()) return false;
  const std::string id = rules_.event_id(event->id);
  event->id = id;
  archive::encode(body_, *event);
  return true;
}

RecordView RecordStamp::apply(const RecordView& record) {
  RecordView out = record;
  if (out.lsn != 0) out.lsn = rules_.lsn(out.lsn);
  out.received_us += rules_.later_us;
  bool stamped = false;
  if (record.kind == RecordKind::wal) {
    stamped = stamp_wal(record.body);
  } else if (record.kind == RecordKind::sse || record.kind == RecordKind::redis) {
    stamped = stamp_event(record);
  } else if (record.kind == RecordKind::snapshot_begin) {
    if (auto body = archive::decode_snapshot_begin(record.body)) {
      if (body->consistent_point != 0) body->consistent_point = rules_.lsn(body->consistent_point);
      body_ = archive::encode_json(*body);
      stamped = true;
    }
  }
  if (stamped) out.body = body_;
  return out;
}

RecordStamp round_stamp(std::uint32_t round, std::uint64_t stride_lsn, std::int64_t stride_us) {
  const std::uint64_t added = round * stride_lsn;
  RecordStamp::Rules rules;
  rules.lsn = [added](std::uint64_t lsn) { return lsn + added; };
  rules.event_id = [round, added](std::string_view id) { return round_id(id, round, added); };
  rules.later_us = static_cast<std::int64_t>(round) * stride_us;
  return RecordStamp(std::move(rules));
}

FreshIds::FreshIds(const Clock& clock)
    : clock_(clock),
      stamp_({[this](std::uint64_t) { return last_; },
              [this](std::string_view id) {
                return id.empty() ? std::string() : Position{next(), 0}.text();
              },
              0}) {}

std::uint64_t FreshIds::next() {
  last_ = std::max(last_ + 1, static_cast<std::uint64_t>(unix_us(clock_.wall())));
  return last_;
}

// Whatever stands in a transaction, or in a snapshot, has the LSN that its first record was given.
RecordView FreshIds::apply(const RecordView& record) {
  const char letter = record.kind == RecordKind::wal ? archive::wal_letter(record.body) : '\0';
  const bool begins = letter == 'B' || record.kind == RecordKind::snapshot_begin;
  if ((begins && !record.prelude) || last_ == 0) next();
  return stamp_.apply(record);
}

}  // namespace rt

#include "archive/stream_tracker.h"

#include "archive/bodies.h"
#include "archive/wire.h"
#include "base/clock.h"

namespace rt::archive {
namespace {

constexpr std::size_t kBeginBytes = 21;  // 'B', i64 final LSN, i64 commit time, i32 xid
constexpr std::size_t kCommitBytes =
    26;  // 'C', i8 flags, i64 commit LSN, i64 end LSN, i64 commit time
// 'P' or 'r', i8 flags, i64 LSN, i64 end LSN, and more
constexpr std::size_t kTwoPhaseBytes = 18;
constexpr std::size_t kMessageBytes = 10;  // 'M', i8 flags (1: transactional), i64 LSN

std::int64_t unix_us_at(const char* at) {  // wraps on damaged values rather than overflow
  return static_cast<std::int64_t>(load_be<std::uint64_t>(at) +
                                   static_cast<std::uint64_t>(kPostgresEpochOffsetUs));
}

}  // namespace

std::optional<std::uint32_t> relation_of(std::string_view body) {
  if (body.size() < 5) return std::nullopt;
  const char letter = body.front();
  if (letter != 'I' && letter != 'U' && letter != 'D' && letter != 'R') return std::nullopt;
  return load_be<std::uint32_t>(body.data() + 1);
}

void StreamTracker::resume_inside(std::uint64_t commit_lsn, std::uint32_t rows) {
  open_ = true;
  open_lsn_ = commit_lsn;
  open_rows_ = rows;
  position_ = {commit_lsn, rows};
}

void StreamTracker::resume_after(std::uint64_t last_commit_lsn, std::uint64_t end_lsn,
                                 std::int64_t t_hi) {
  open_ = false;
  last_commit_lsn_ = last_commit_lsn;
  end_lsn_ = end_lsn;
  t_hi_ = t_hi;
  position_ = {last_commit_lsn, Position::kEnd};
}

void StreamTracker::take(const RecordView& record) {
  if (record.prelude) {
    if (open_ && record.kind == RecordKind::wal && record.body.size() >= kBeginBytes &&
        record.body.front() == 'B') {
      time_us_ = unix_us_at(record.body.data() + 9);
      xid_ = load_be<std::uint32_t>(record.body.data() + 17);
    }
    return;
  }
  changes_ = 0;
  switch (record.kind) {
    case RecordKind::wal:
      return take_wal(record.body);
    case RecordKind::abandon:
      open_ = false;
      break;
    case RecordKind::snapshot_end:
      confirmable(record.lsn);
      break;
    case RecordKind::two_phase:
      take_two_phase(record.body);
      break;
    case RecordKind::left_out:
      if (const auto body = decode_left_out(record.body); body && open_) {
        open_rows_ += body->changes;
      }
      break;
    case RecordKind::sse:
    case RecordKind::notify:
    case RecordKind::redis:
    case RecordKind::http:
    case RecordKind::receipt:
    case RecordKind::mark:
      advance(record.received_us);
      break;
    default:
      break;
  }
  position_ = open_ ? Position{open_lsn_, open_rows_} : Position{last_commit_lsn_, Position::kEnd};
}

// Of a K the Commit that follows is to be durable first.
void StreamTracker::take_two_phase(std::string_view body) {
  const char letter = wal_letter(body);
  if ((letter == 'P' || letter == 'r') && body.size() >= kTwoPhaseBytes) {
    confirmable(load_be<std::uint64_t>(body.data() + 10));
  }
}

void StreamTracker::take_wal(std::string_view body) {
  const char letter = wal_letter(body);
  if (letter == 'B' && body.size() >= kBeginBytes) {
    resume_inside(load_be<std::uint64_t>(body.data() + 1), 0);
    time_us_ = unix_us_at(body.data() + 9);
    xid_ = load_be<std::uint32_t>(body.data() + 17);
    advance(time_us_);
    return;
  }
  if (letter == 'C' && body.size() >= kCommitBytes) {
    open_ = false;
    last_commit_lsn_ = load_be<std::uint64_t>(body.data() + 2);
    confirmable(load_be<std::uint64_t>(body.data() + 10));
    position_ = {last_commit_lsn_, Position::kEnd};
    return;
  }
  if (letter == 'M' && body.size() >= kMessageBytes && (body[1] & 1) == 0) {
    confirmable(load_be<std::uint64_t>(body.data() + 2));
  }
  position_ = open_ ? Position{open_lsn_, open_rows_} : Position{last_commit_lsn_, Position::kEnd};
  if (!open_) return;
  changes_ = row_changes(body);
  open_rows_ += changes_;
}

}  // namespace rt::archive

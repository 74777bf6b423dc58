// What a recording must know of the stream it stores: which transaction is open, where a record
// stands, what may be confirmed. It peeks at the first bytes of pgoutput messages (PostgreSQL 15,
// section 55.9) and leaves decoding to others.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/position.h"
#include "base/record.h"

namespace rt::archive {

// The letter of a pgoutput message, 0 of an empty one.
inline char wal_letter(std::string_view body) {
  return body.empty() ? '\0' : body.front();
}
inline bool is_row_letter(char c) {
  return c == 'I' || c == 'U' || c == 'D' || c == 'T';
}
// Row changes in a message: 1 for I, U and D, one for each table of a T, else 0.
inline std::uint32_t row_changes(std::string_view body) {
  const char letter = wal_letter(body);
  if (letter == 'I' || letter == 'U' || letter == 'D') return 1;
  if (letter != 'T' || body.size() < 6) return 0;
  return static_cast<std::uint32_t>((body.size() - 6) / 4);  // 'T', u32 count, u8 options, oids
}
// The relation that a row message (I, U, D) or a Relation message (R) is about.
std::optional<std::uint32_t> relation_of(std::string_view body);

// A value; one thread at a time.
class StreamTracker {
 public:
  // Before any record; `last_commit_lsn` and the rest carry over from an earlier part of the
  // stream.
  StreamTracker() = default;

  // Takes the next record of the stream. A Begin marked as prelude restores what is known of the
  // open transaction and moves nothing; other preludes are ignored.
  void take(const RecordView& record);
  // Puts the tracker inside a transaction of which `rows` rows have passed.
  void resume_inside(std::uint64_t commit_lsn, std::uint32_t rows);
  void resume_after(std::uint64_t last_commit_lsn, std::uint64_t end_lsn, std::int64_t t_hi);

  // Where the last record taken stands. Begin is (commit LSN, 0), a row (commit LSN, its index),
  // other records inside a transaction share the index of the row that follows, Commit and
  // everything outside a transaction is (last commit LSN, kEnd).
  Position position() const { return position_; }
  // The same, of a T with several tables the position of the last of them.
  Position last_position() const {
    return {position_.lsn, position_.index + (changes_ > 1 ? changes_ - 1 : 0)};
  }
  bool open() const { return open_; }
  std::uint64_t open_lsn() const { return open_ ? open_lsn_ : 0; }
  std::uint32_t open_rows() const { return open_ ? open_rows_ : 0; }
  std::uint32_t xid() const { return xid_; }                // of the open or last transaction
  std::int64_t commit_time_us() const { return time_us_; }  // of the same, Unix us
  std::uint64_t last_commit_lsn() const { return last_commit_lsn_; }
  // The position to confirm once all taken so far is durable: the end LSN of the last Commit, the
  // consistent point of a completed snapshot, the LSN of a non-transactional message, or the end
  // LSN of a Prepare or Rollback Prepared. Never decreases.
  std::uint64_t end_lsn() const { return end_lsn_; }
  // Running maximum of event times, Unix us: a Begin's commit time, and the arrival of records that
  // are events of their own (SSE, NOTIFY, Redis, HTTP, receipts, marks). Never decreases.
  std::int64_t t_hi() const { return t_hi_; }

 private:
  void take_wal(std::string_view body);
  void take_two_phase(std::string_view body);
  void confirmable(std::uint64_t lsn) { end_lsn_ = lsn > end_lsn_ ? lsn : end_lsn_; }
  void advance(std::int64_t time_us) { t_hi_ = time_us > t_hi_ ? time_us : t_hi_; }

  Position position_{0, Position::kEnd};
  std::uint64_t open_lsn_ = 0;
  std::uint64_t last_commit_lsn_ = 0;
  std::uint64_t end_lsn_ = 0;
  std::int64_t time_us_ = 0;
  std::int64_t t_hi_ = 0;
  std::uint32_t open_rows_ = 0;
  std::uint32_t changes_ = 0;  // row changes of the record taken last
  std::uint32_t xid_ = 0;
  bool open_ = false;
};

}  // namespace rt::archive

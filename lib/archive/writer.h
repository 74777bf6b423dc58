// Writes a recording: records in, blocks out, durable on demand. One writer a recording (locked),
// one thread at a time. Time is told. After an error of the disk the writer is dead and says so
// again: a failed fsync leaves unknown what the disk holds, so close, open (which recovers) and go
// on from durable_end_lsn(). Format and rules: docs/recording-format.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "archive/block_builder.h"
#include "archive/recovery.h"
#include "archive/segment_file.h"
#include "archive/segment_index.h"
#include "base/clock.h"

namespace rt::archive {

// When what was written is made durable.
struct SyncPolicy {
  std::chrono::milliseconds every{100};   // after the first record that is not durable
  std::uint64_t bytes = 8 * 1024 * 1024;  // so that one fdatasync stays below some 50 ms on a disk

  bool due(Duration dirty_for, std::uint64_t dirty_bytes) const {
    return dirty_for >= every || dirty_bytes >= bytes;
  }
};

struct WriterOptions {
  SyncPolicy sync;
  int compression_level =
      1;  // 1 and 3 are equal in ratio on real streams; 6 costs four times the CPU
  std::size_t block_raw_bytes = kBlockRawBytes;
  Duration block_age = kBlockAge;
  // A new segment starts at the first transaction boundary after either. Single files never rotate.
  std::uint64_t rotate_bytes = std::uint64_t{1} << 30;
  Duration rotate_age = std::chrono::hours(1);
  OnDamage on_damage = OnDamage::strict;  // what open() does with damage that is not a torn tail
  // Two recordings never share an id; tests that compare bytes fix it.
  std::optional<std::array<std::uint8_t, 16>> recording_id;
};

// Both clocks at one moment.
struct Moment {
  Instant now;
  WallTime wall;
  static Moment of(const Clock& clock) { return {clock.now(), clock.wall()}; }
};

class Writer {
 public:
  // A new recording: one file if `path` ends in ".rtr", else a directory (made if missing) of
  // segments. Code::usage if there is one already.
  static Result<Writer> create(const std::string& path, const Origin& origin, Moment at,
                               WriterOptions options = {});
  // Goes on with an existing recording after repairing its end; see recovered(). A transaction that
  // was open is closed with an ABANDON record: the source sends it again from its Begin.
  static Result<Writer> open(const std::string& path, Moment at, WriterOptions options = {});
  static bool exists(const std::string& path);

  Writer(Writer&&) noexcept = default;
  Writer& operator=(Writer&&) noexcept = default;

  // Adds a record; its body is copied. May write a block, never waits for the disk's cache.
  Result<void> append(const RecordView& record, Instant now);
  // Closes the block and syncs when their time has come; call it at deadline(), or often.
  // True if durable_end_lsn() may have moved.
  Result<bool> tick(Instant now);
  std::optional<Instant> deadline() const;  // nothing if nothing is pending
  // Everything appended is on the disk (fdatasync) when this returns.
  Result<void> sync(Instant now);
  // If a transaction is open: marks it as cut off. For a source that was disconnected.
  Result<void> abandon(Instant now, std::int64_t received_us);
  // Writes index and footer, syncs, and closes. Without it the recording is valid but has no index.
  Result<void> close(Instant now);

  // The position to confirm: end LSN of the last commit in durable blocks (or of a snapshot, or of
  // a non-transactional message, if later). 0 if there is none.
  std::uint64_t durable_end_lsn() const { return durable_end_lsn_; }
  std::uint64_t durable_commit_lsn() const { return durable_commit_lsn_; }
  // A transaction is open, or something appended is not durable yet.
  bool undurable() const { return builder_.tracker().open() || dirty_since_.has_value(); }

  // The segment being written; origin is that of the whole recording.
  const SegmentHeader& header() const { return header_; }
  const Recovery& recovered() const { return recovered_; }  // what open() found
  // Code::refused if `live` is another PostgreSQL cluster or an older timeline than recorded.
  Result<void> check_origin(const Origin& live) const;

  struct Totals {
    std::uint64_t records = 0;  // of this writer's life
    std::uint64_t rows = 0;
    std::uint64_t transactions = 0;
    std::uint64_t raw_bytes = 0;
    std::uint64_t file_bytes = 0;
    std::uint64_t syncs = 0;
  };
  const Totals& totals() const { return totals_; }
  const std::string& path() const { return path_; }

 private:
  Writer(std::string path, WriterOptions options);
  Result<void> start_segment(Moment at, const std::string& segment_path);
  Result<void> load(SegmentFile file, SegmentScan scan);
  Result<void> rotate(Instant now);
  Result<void> write_block();
  Result<void> write_index();
  Result<void> make_durable();
  Result<void> remember(Result<void> outcome);

  std::string path_;
  WriterOptions options_;
  bool single_file_ = false;
  SegmentFile file_;
  SegmentHeader header_;
  BlockBuilder builder_;
  std::vector<BlockEntry> blocks_;
  SegmentTables tables_;
  std::uint64_t offset_ = 0;
  std::uint64_t previous_offset_ = 0;
  std::uint64_t chain_ = 0;
  std::uint64_t durable_end_lsn_ = 0;
  std::uint64_t durable_commit_lsn_ = 0;
  std::uint64_t dirty_bytes_ = 0;
  std::optional<Instant> block_since_;
  std::optional<Instant> dirty_since_;
  Moment segment_opened_{};
  std::optional<Error> failed_;
  Recovery recovered_;
  Totals totals_;
};

}  // namespace rt::archive

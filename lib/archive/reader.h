// Reads a recording: in order, from any position or time, block by block, or while it is being
// written. One thread at a time; any number of readers beside one writer. Holds one file open and
// one block in memory, whatever the recording's size. Never crashes on bad bytes: damage is an
// error that names file and offset, or is skipped, as asked. Format: docs/recording-format.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "archive/block_decoder.h"
#include "archive/record_codec.h"
#include "archive/recovery.h"
#include "archive/segment_scan.h"
#include "archive/stream_tracker.h"
#include "base/clock.h"
#include "base/position.h"

namespace rt::archive {

struct ReadOptions {
  OnDamage on_damage = OnDamage::strict;
  // Bytes after the last whole block are one that is being written, not damage; see refresh().
  bool live = false;
  // Only transactions that have their Commit: cut-off ones (ABANDON) are left out, and reading ends
  // before a last one that is still open (until refresh() finds its Commit).
  bool committed_only = false;
  bool use_index = true;  // false: hop over block headers even if there is an index
  std::size_t max_block_raw_bytes = kMaxBlockRawBytes;
};

struct Entry {
  RecordView record;      // valid until the next call of the reader
  Position position;      // see StreamTracker::position(); of a prelude: where reading goes on
  std::int64_t t_hi = 0;  // Unix us: running maximum of event times, the clock of a replay
};

// One block by itself, in memory of its own.
struct BlockContent {
  BlockHeader header;
  std::string raw;

  // Calls visit(const RecordView&) for each record, prelude included; false if the content is
  // malformed.
  template <typename Visit>
  bool each(Visit&& visit) const {
    const char* at = raw.data();
    RecordBase base{header.first_lsn, header.received_first};
    RecordView record;
    for (;;) {
      const ReadRecord read = read_record(at, raw.data() + raw.size(), base, record);
      if (read != ReadRecord::record) return read == ReadRecord::end;
      visit(record);
    }
  }
};

class Reader {
 public:
  // A file, or a directory of segments. Code::usage: not there, not a recording, or of a newer
  // version.
  static Result<Reader> open(const std::string& path, ReadOptions options = {});
  // Segments of one recording, in order.
  static Result<Reader> open(std::vector<std::string> segments, ReadOptions options = {});

  Reader(Reader&&) noexcept = default;
  Reader& operator=(Reader&&) noexcept = default;

  // The next record; false at the end (for now, if live). Relation and Type messages that a decoder
  // needs come marked as prelude whenever a block repeats them; after a seek into a transaction, so
  // does its Begin.
  Result<bool> next(Entry& entry);

  // Puts reading before the first record that stands at or after `position` (resume after X: seek
  // to X with index + 1). True if there is one; else reading goes on with what is written after
  // now.
  Result<bool> seek(Position position);
  // The same for the first record at which the stream's clock reaches `time`.
  Result<bool> seek(WallTime time);
  Result<void> rewind();
  // Looks for blocks written since; true if there are new ones.
  Result<bool> refresh();

  std::size_t block_count() const { return first_block_.back(); }
  const BlockEntry& block(std::size_t index) const;  // index < block_count()
  // Block `index` by itself; each block can be decoded alone.
  Result<BlockContent> read_block(std::size_t index);

  std::size_t segment_count() const { return segments_.size(); }
  const SegmentScan& segment(std::size_t index) const { return segments_[index].scan; }
  const std::string& segment_path(std::size_t index) const { return segments_[index].path; }
  const SegmentHeader& header() const {
    return segments_.front().scan.header;
  }  // of the first segment

  // The stream up to the record handed out last, of one that was sought too.
  const StreamTracker& tracker() const { return tracker_; }

  std::uint64_t file_bytes() const;
  std::uint64_t end_lsn() const;  // of the last commit; 0 if there is none
  // Transactions without a Commit that committed_only leaves out.
  std::size_t cut_off_transactions() const {
    return abandoned_.size() + (unfinished_.has_value() ? 1u : 0u);
  }
  // What is wrong with the recording as far as its headers tell, torn tail included.
  std::vector<Damage> damages() const;
  // Damage met while reading that was skipped or ended it, in the order met.
  const std::vector<std::string>& skipped() const { return skipped_; }

 private:
  struct Segment {
    std::string path;
    SegmentScan scan;
  };
  // A record's place: block, and byte offset in its content.
  struct Place {
    std::size_t block = 0;
    std::size_t offset = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  struct Abandoned {  // a transaction to leave out: from its Begin to its ABANDON, both included
    Place begin;
    Place last;
  };

  Reader(ReadOptions options, std::vector<std::string> segments);
  Result<void> scan_all(const std::vector<std::string>& paths);
  void number_blocks();
  std::size_t segment_of(std::size_t block) const;
  Result<const SegmentFile*> file_of(std::size_t segment);
  Result<BlockHeader> header_of(std::size_t block);
  Result<std::string_view> content_of(std::size_t block, const BlockHeader& header,
                                      BlockDecoder& decoder);
  Result<StreamTracker> tracker_before(std::size_t block, const BlockHeader& header);

  Result<bool> next_block();
  Result<void> load_block(std::size_t block);
  void park_at(std::size_t block);
  Result<bool> meet_damage(std::string text, Entry* gap);
  bool yields(const Entry& entry, const char* start);
  bool leave_out(const char* start);

  Result<void> find_unfinished();
  Result<void> find_abandoned_in(std::size_t block);
  Result<std::optional<Place>> begin_before(std::size_t block);

  Result<std::size_t> block_for(Position position);
  Result<bool> starts_abandoned(std::size_t block);
  template <typename Reached>
  Result<bool> land(std::size_t block, Reached&& reached);

  ReadOptions options_;
  std::vector<Segment> segments_;
  std::vector<std::size_t> first_block_;  // of each segment, then the total
  SegmentFile file_;
  std::size_t file_segment_ = 0;
  BlockDecoder decoder_;
  BlockDecoder probe_;  // for look-ups that must not disturb the block being read

  std::size_t next_block_ = 0;
  const char* begin_ = nullptr;  // content of the block being read, which is next_block_ - 1
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  RecordBase base_;
  StreamTracker tracker_;
  bool fresh_ = true;                   // reading starts here: the prelude's Begin is news
  const char* skip_until_ = nullptr;    // landing of a seek in this block
  const char* keep_begin_ = nullptr;    // the Begin of the transaction landed in, if in this block
  bool keep_prelude_begin_ = true;      // it is in an earlier one
  std::optional<std::uint64_t> chain_;  // after block next_block_ - 1, if known
  std::vector<std::size_t> met_;        // damages (by block before which they stand) already met
  std::vector<Abandoned> abandoned_;    // committed_only: in order
  std::optional<Place> unfinished_;     // committed_only: Begin of the last, open transaction
  std::optional<Error> failed_;
  bool ended_ = false;  // point_in_time: nothing is read after damage
  std::string gap_text_;
  std::vector<std::string> skipped_;
};

}  // namespace rt::archive

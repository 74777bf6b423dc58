#include "archive/reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace rt::archive {
namespace {

// Segments that a writer which rotated has begun beside this one.
std::vector<std::string> newer_segments(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const auto all = segment_paths(slash == std::string::npos ? "." : path.substr(0, slash));
  if (!all) return {};
  const auto here = std::find(all->begin(), all->end(), path);
  if (here == all->end()) return {};  // a single file
  return {here + 1, all->end()};
}

}  // namespace

Reader::Reader(ReadOptions options, std::vector<std::string> segments)
    : options_(options),
      decoder_(options.max_block_raw_bytes),
      probe_(options.max_block_raw_bytes) {
  for (std::string& path : segments) segments_.push_back({std::move(path), {}});
}

Result<Reader> Reader::open(const std::string& path, ReadOptions options) {
  return open(RT_TRY(segment_paths(path)), options);
}

Result<Reader> Reader::open(std::vector<std::string> paths, ReadOptions options) {
  if (paths.empty()) return fail(Code::usage, "cannot open a recording without segments");
  Reader reader(options, std::move(paths));
  const ScanOptions scan{options.use_index, options.on_damage == OnDamage::salvage, 0};
  for (std::size_t i = 0; i < reader.segments_.size(); ++i) {
    const SegmentFile* file = RT_TRY(reader.file_of(i));
    Segment& segment = reader.segments_[i];
    segment.scan = RT_TRY(scan_segment(*file, scan));
    if (i == 0) continue;
    const SegmentHeader& before = reader.segments_[i - 1].scan.header;
    const SegmentHeader& header = segment.scan.header;
    if (header.recording_id != before.recording_id) {
      return fail(Code::usage, fmt::format("cannot read {} after {}: they are of two recordings",
                                           segment.path, reader.segments_[i - 1].path));
    }
    if (header.number != before.number + 1) {
      segment.scan.damages.insert(
          segment.scan.damages.begin(),
          Damage{segment.path, 0, fmt::format("segment {} is missing before it", before.number + 1),
                 false, 0, segment.scan.data_end, 0});
    }
  }
  reader.number_blocks();
  RT_CHECKED(reader.find_unfinished());
  return reader;
}

void Reader::number_blocks() {
  first_block_.assign(1, 0);
  for (const Segment& segment : segments_) {
    first_block_.push_back(first_block_.back() + segment.scan.blocks.size());
  }
}

std::size_t Reader::segment_of(std::size_t block) const {
  const auto after = std::upper_bound(first_block_.begin(), first_block_.end(), block);
  return static_cast<std::size_t>(after - first_block_.begin()) - 1;
}

const BlockEntry& Reader::block(std::size_t index) const {
  const std::size_t segment = segment_of(index);
  return segments_[segment].scan.blocks[index - first_block_[segment]];
}

Result<const SegmentFile*> Reader::file_of(std::size_t segment) {
  if (!file_ || file_segment_ != segment) {
    file_ = RT_TRY(SegmentFile::open_to_read(segments_[segment].path));
    file_segment_ = segment;
  }
  return &file_;
}

Result<BlockHeader> Reader::header_of(std::size_t index) {
  const SegmentFile* file = RT_TRY(file_of(segment_of(index)));
  const std::uint64_t offset = block(index).offset;
  const auto header = RT_TRY(read_block_header(*file, offset));
  if (header) return *header;
  return fail(Code::integrity,
              fmt::format("{} is damaged at offset {}: no intact block header is there",
                          file->path(), offset));
}

Result<std::string_view> Reader::content_of(std::size_t index, const BlockHeader& header,
                                            BlockDecoder& decoder) {
  const std::size_t segment = segment_of(index);
  const SegmentFile* file = RT_TRY(file_of(segment));
  std::optional<std::uint64_t> chain;
  if (index == first_block_[segment]) {
    if (header.previous_offset == 0) chain = segments_[segment].scan.header.chain_in;
  } else if (&decoder == &decoder_ && index == next_block_ && chain_) {
    chain = chain_;
  } else if (const auto before = read_block_header(*file, block(index - 1).offset);
             before && *before) {
    chain = (*before)->chain;
  }
  // After a block that was lost the chain cannot be checked.
  if (index > first_block_[segment] && header.previous_offset != block(index - 1).offset &&
      options_.on_damage == OnDamage::salvage) {
    chain.reset();
  }
  return decoder.decode(*file, block(index).offset, header, chain);
}

Result<StreamTracker> Reader::tracker_before(std::size_t index, const BlockHeader& header) {
  StreamTracker tracker;
  const std::size_t segment = segment_of(index);
  if (index == first_block_[segment]) {
    const SegmentHeader& h = segments_[segment].scan.header;
    tracker.resume_after(h.previous_commit_lsn, h.previous_end_lsn, h.previous_t_hi);
  } else {
    const BlockEntry& before = block(index - 1);
    // What may be confirmed stands in the header alone; it is not worth an error.
    const auto facts = header_of(index - 1);
    tracker.resume_after(before.last_commit_lsn, facts ? facts->end_lsn : 0, before.t_hi);
  }
  if ((header.flags & kStartsInTransaction) != 0) {
    tracker.resume_inside(header.open_lsn, header.open_rows);
  }
  return tracker;
}

Result<BlockContent> Reader::read_block(std::size_t index) {
  RT_CHECK(index < block_count());
  BlockContent content;
  content.header = RT_TRY(header_of(index));
  content.raw = RT_TRY(content_of(index, content.header, probe_));
  return content;
}

void Reader::park_at(std::size_t block) {
  next_block_ = block;
  begin_ = at_ = end_ = nullptr;
  skip_until_ = keep_begin_ = nullptr;
  keep_prelude_begin_ = true;
  chain_.reset();
  fresh_ = true;
  failed_.reset();
  ended_ = false;
  met_.clear();
}

Result<void> Reader::rewind() {
  park_at(0);
  return {};
}

Result<void> Reader::load_block(std::size_t index) {
  const BlockHeader header = RT_TRY(header_of(index));
  const std::string_view raw = RT_TRY(content_of(index, header, decoder_));
  if (fresh_ || index == 0) tracker_ = RT_TRY(tracker_before(index, header));
  chain_ = header.chain;
  next_block_ = index + 1;
  begin_ = at_ = raw.data();
  end_ = raw.data() + raw.size();
  base_ = {header.first_lsn, header.received_first};
  skip_until_ = keep_begin_ = nullptr;
  return {};
}

// Damage stands where reading would go on. True: a gap record is in `gap`. False: reading ends
// here.
Result<bool> Reader::meet_damage(std::string text, Entry* gap) {
  if (options_.on_damage == OnDamage::strict) {
    failed_ = Error{Code::integrity, std::move(text), {}};
    return fail(*failed_);
  }
  skipped_.push_back(text);
  if (options_.on_damage == OnDamage::point_in_time) {
    ended_ = true;
    return false;
  }
  gap_text_ = std::move(text);
  fresh_ = true;
  keep_prelude_begin_ = true;
  chain_.reset();
  gap->record = {RecordKind::gap, false, tracker_.last_commit_lsn(), base_.received_us, gap_text_};
  gap->position = tracker_.position();
  gap->t_hi = tracker_.t_hi();
  return true;
}

Result<bool> Reader::next(Entry& entry) {
  if (failed_) return fail(*failed_);
  for (;;) {
    if (ended_) return false;
    if (at_ == end_) {
      const std::size_t index = next_block_;
      for (std::size_t s = 0; s < segments_.size(); ++s) {
        for (const Damage& damage : segments_[s].scan.damages) {
          if (first_block_[s] + damage.before_block != index) continue;
          if (options_.live && damage.torn && s + 1 == segments_.size()) continue;
          const std::size_t key = s << 40 ^ static_cast<std::size_t>(damage.offset);
          if (std::find(met_.begin(), met_.end(), key) != met_.end()) continue;
          met_.push_back(key);
          return meet_damage(damage.text(), &entry);
        }
      }
      if (index >= block_count()) return false;
      if (const auto loaded = load_block(index); !loaded) {
        if (loaded.error().code != Code::integrity) return fail(loaded.error());
        next_block_ = index + 1;
        begin_ = at_ = end_ = nullptr;
        return meet_damage(loaded.error().text + "; all before it can be read", &entry);
      }
      continue;
    }
    const char* const start = at_;
    if (unfinished_ && unfinished_->block + 1 == next_block_ &&
        static_cast<std::size_t>(start - begin_) == unfinished_->offset) {
      return false;
    }
    if (read_record(at_, end_, base_, entry.record) != ReadRecord::record) {
      at_ = end_ = nullptr;
      return meet_damage(
          fmt::format("{} is damaged: a record in the block at offset {} is malformed",
                      segments_[segment_of(next_block_ - 1)].path, block(next_block_ - 1).offset),
          &entry);
    }
    tracker_.take(entry.record);
    if (!yields(entry, start)) continue;
    if (start < skip_until_) entry.record.prelude = true;
    entry.position = tracker_.position();
    entry.t_hi = tracker_.t_hi();
    return true;
  }
}

// Whether the record that starts at `start` is handed out.
bool Reader::yields(const Entry& entry, const char* start) {
  const RecordView& record = entry.record;
  const char letter = record.kind == RecordKind::wal ? wal_letter(record.body) : '\0';
  const bool schema = letter == 'R' || letter == 'Y';
  if (record.prelude && letter == 'B') return fresh_ && keep_prelude_begin_;
  if (start < skip_until_) return schema || start == keep_begin_;
  if (!record.prelude) fresh_ = false;
  return schema || !options_.committed_only || !leave_out(start);
}

bool Reader::leave_out(const char* start) {
  if (abandoned_.empty()) return false;
  const Place here{next_block_ - 1, static_cast<std::size_t>(start - begin_)};
  const auto after = std::upper_bound(
      abandoned_.begin(), abandoned_.end(), here,
      [](const Place& place, const Abandoned& span) { return place < span.begin; });
  return after != abandoned_.begin() && here <= std::prev(after)->last;
}

Result<bool> Reader::refresh() {
  const std::size_t before = block_count();
  const ScanOptions scan{options_.use_index, options_.on_damage == OnDamage::salvage, 0};
  const SegmentFile* file = RT_TRY(file_of(segments_.size() - 1));
  RT_CHECKED(extend_scan(*file, segments_.back().scan, scan));
  for (const std::string& path : newer_segments(segments_.back().path)) {
    const SegmentFile next_file = RT_TRY(SegmentFile::open_to_read(path));
    SegmentScan found = RT_TRY(scan_segment(next_file, scan));
    if (found.header.recording_id != header().recording_id) break;
    segments_.push_back({path, std::move(found)});
  }
  number_blocks();
  if (block_count() != before) RT_CHECKED(find_unfinished());
  return block_count() != before;
}

std::uint64_t Reader::file_bytes() const {
  std::uint64_t bytes = 0;
  for (const Segment& segment : segments_) bytes += segment.scan.file_bytes;
  return bytes;
}

std::uint64_t Reader::end_lsn() const {
  const SegmentScan& last = segments_.back().scan;
  return last.last ? last.last->end_lsn : last.header.previous_end_lsn;
}

std::vector<Damage> Reader::damages() const {
  std::vector<Damage> all;
  for (const Segment& segment : segments_) {
    all.insert(all.end(), segment.scan.damages.begin(), segment.scan.damages.end());
  }
  return all;
}

}  // namespace rt::archive

#include "archive/writer.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "archive/block_decoder.h"
#include "archive/record_codec.h"
#include "base/text.h"

namespace rt::archive {
namespace {

// What may be unsynced when the machine stops is bounded by the sync policy (8 MiB and a block);
// eight times that is checked against its checksums on open.
constexpr std::uint64_t kVerifiedTailBytes = 64 * 1024 * 1024;

}  // namespace

Writer::Writer(std::string path, WriterOptions options)
    : path_(std::move(path)), options_(options), builder_(options.compression_level) {
  single_file_ = is_single_file(path_);
}

bool Writer::exists(const std::string& path) {
  const auto paths = segment_paths(path);
  if (!paths) return false;
  struct stat facts {};
  return paths->size() > 1 || (::stat(paths->front().c_str(), &facts) == 0 && facts.st_size > 0);
}

Result<Writer> Writer::create(const std::string& path, const Origin& origin, Moment at,
                              WriterOptions options) {
  if (exists(path)) {
    return fail(Code::usage, fmt::format("cannot create {}: a recording is there already", path));
  }
  Writer writer(path, options);
  if (!writer.single_file_ && ::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    const int code = errno;
    return fail(
        os_error("cannot create " + path, code, code == ENOENT ? Code::usage : Code::limit));
  }
  writer.header_.origin = origin;
  writer.header_.number = 0;
  if (options.recording_id) {
    writer.header_.recording_id = *options.recording_id;
  } else if (::getrandom(writer.header_.recording_id.data(), 16, 0) != 16) {
    return fail(os_error("cannot draw a recording id", errno));
  }
  const std::string first =
      writer.single_file_ ? path : segment_path(path, origin.consistent_point, 1);
  RT_CHECKED(writer.start_segment(at, first));
  return writer;
}

Result<void> Writer::start_segment(Moment at, const std::string& segment_path) {
  const StreamTracker& tracker = builder_.tracker();
  ++header_.number;
  header_.previous_commit_lsn = tracker.last_commit_lsn();
  header_.previous_end_lsn = tracker.end_lsn();
  header_.previous_t_hi = tracker.t_hi();
  header_.chain_in = chain_;
  header_.opened_wall_us = unix_us(at.wall);
  header_.opened_mono_ns = at.now.time_since_epoch().count();
  std::string head;
  append_frame(head, header_);
  file_ = RT_TRY(SegmentFile::create(segment_path, head));
  offset_ = head.size();
  totals_.file_bytes += head.size();
  previous_offset_ = 0;
  blocks_.clear();
  tables_ = {};
  segment_opened_ = at;
  return {};
}

Result<Writer> Writer::open(const std::string& path, Moment at, WriterOptions options) {
  Writer writer(path, options);
  const std::vector<std::string> paths = RT_TRY(segment_paths(path));
  SegmentFile file = RT_TRY(SegmentFile::open_to_append(paths.back()));
  if (RT_TRY(segment_paths(path)) != paths) {  // it went on to a new segment before we had the lock
    return fail(Code::refused, fmt::format("cannot write {}: another process is writing it", path));
  }
  ScanOptions scan_options;
  scan_options.verify_tail_bytes = kVerifiedTailBytes;
  SegmentScan scan = RT_TRY(scan_segment(file, scan_options));
  writer.recovered_ = RT_TRY(repair_tail(file, scan, options.on_damage));
  writer.segment_opened_ = at;
  RT_CHECKED(
      file.sync());  // what another process wrote and did not sync counts as durable from here on
  RT_CHECKED(writer.load(std::move(file), std::move(scan)));
  RT_CHECKED(writer.abandon(at.now, unix_us(at.wall)));
  return writer;
}

// Takes up the state at the end of a segment.
Result<void> Writer::load(SegmentFile file, SegmentScan scan) {
  file_ = std::move(file);
  header_ = scan.header;
  offset_ = scan.data_end;
  blocks_ = std::move(scan.blocks);
  tables_ = scan.tables ? std::move(*scan.tables) : SegmentTables{};
  tables_.complete = (scan.tables && tables_.complete) || blocks_.empty();
  StreamTracker& tracker = builder_.tracker();
  tracker.resume_after(header_.previous_commit_lsn, header_.previous_end_lsn,
                       header_.previous_t_hi);
  chain_ = header_.chain_in;
  if (scan.last) {
    const BlockHeader& last = *scan.last;
    previous_offset_ = blocks_.back().offset;
    std::uint64_t chain_before = header_.chain_in;
    if (blocks_.size() > 1) {
      const auto before = RT_TRY(read_block_header(file_, blocks_[blocks_.size() - 2].offset));
      if (before) chain_before = before->chain;
    }
    chain_ = last.chain;
    tracker.resume_after(last.last_commit_lsn, last.end_lsn, last.t_hi);
    if ((last.flags & kEndsInTransaction) != 0) {  // which one, its records tell
      BlockDecoder decoder;
      const std::string_view raw =
          RT_TRY(decoder.decode(file_, previous_offset_, last, chain_before));
      if ((last.flags & kStartsInTransaction) != 0) {
        tracker.resume_inside(last.open_lsn, last.open_rows);
      }
      const char* at = raw.data();
      RecordBase base{last.first_lsn, last.received_first};
      RecordView record;
      while (read_record(at, raw.data() + raw.size(), base, record) == ReadRecord::record) {
        tracker.take(record);
      }
    }
  }
  durable_end_lsn_ = tracker.end_lsn();
  durable_commit_lsn_ = tracker.last_commit_lsn();
  return {};
}

Result<void> Writer::check_origin(const Origin& live) const {
  const Origin& ours = header_.origin;
  if (ours.system_identifier != live.system_identifier) {
    return fail(Code::refused,
                fmt::format("cannot go on with {}: it records cluster {}, the server is cluster {}",
                            path_, ours.system_identifier, live.system_identifier),
                "record another cluster into another archive");
  }
  if (live.timeline < ours.timeline) {
    return fail(
        Code::refused,
        fmt::format("cannot go on with {}: it records timeline {}, the server is on timeline {}",
                    path_, ours.timeline, live.timeline),
        "the server was restored to an earlier state; record into a new archive");
  }
  return {};
}

Result<void> Writer::remember(Result<void> outcome) {
  if (!outcome) failed_ = outcome.error();
  return outcome;
}

Result<void> Writer::append(const RecordView& record, Instant now) {
  if (failed_) return fail(*failed_);
  const StreamTracker& tracker = builder_.tracker();
  if (tracker.open() && !record.prelude && record.kind == RecordKind::wal &&
      wal_letter(record.body) == 'B') {
    RT_CHECKED(abandon(now, record.received_us));  // the source began again without saying so
  }
  if (!single_file_ && !tracker.open() &&
      (offset_ >= options_.rotate_bytes || now - segment_opened_.now >= options_.rotate_age) &&
      (!blocks_.empty() || !builder_.empty())) {
    RT_CHECKED(remember(rotate(now)));
  }
  const std::uint64_t commit_before = tracker.last_commit_lsn();
  RT_CHECKED(remember(builder_.append(record)));
  tables_.count(record, static_cast<std::uint32_t>(blocks_.size()));
  ++totals_.records;
  if (record.kind == RecordKind::wal) totals_.rows += row_changes(record.body);
  if (tracker.last_commit_lsn() != commit_before) ++totals_.transactions;
  if (!block_since_) block_since_ = now;
  if (!dirty_since_) dirty_since_ = now;
  if (builder_.raw_bytes() >= options_.block_raw_bytes) return remember(write_block());
  return {};
}

Result<void> Writer::abandon(Instant now, std::int64_t received_us) {
  if (!builder_.tracker().open()) return {};
  std::string body;
  append_le(body, builder_.tracker().open_lsn());
  return append({RecordKind::abandon, false, builder_.tracker().open_lsn(), received_us, body},
                now);
}

Result<void> Writer::write_block() {
  if (builder_.empty()) return {};
  const BlockBuilder::Block block = RT_TRY(builder_.finish(previous_offset_, chain_));
  RT_CHECKED(file_.write_at(offset_, block.bytes));
  blocks_.push_back(entry_of(block.header, offset_));
  previous_offset_ = offset_;
  chain_ = block.header.chain;
  offset_ += block.bytes.size();
  dirty_bytes_ += block.bytes.size();
  totals_.file_bytes += block.bytes.size();
  totals_.raw_bytes += block.header.raw_bytes;
  block_since_.reset();
  return {};
}

Result<void> Writer::make_durable() {
  RT_CHECKED(write_block());
  if (dirty_bytes_ > 0) {
    RT_CHECKED(file_.sync());
    ++totals_.syncs;
  }
  dirty_bytes_ = 0;
  dirty_since_.reset();
  durable_end_lsn_ = builder_.tracker().end_lsn();
  durable_commit_lsn_ = builder_.tracker().last_commit_lsn();
  return {};
}

Result<void> Writer::sync(Instant now) {
  (void)now;
  if (failed_) return fail(*failed_);
  return remember(make_durable());
}

Result<bool> Writer::tick(Instant now) {
  if (failed_) return fail(*failed_);
  if (block_since_ && now - *block_since_ >= options_.block_age)
    RT_CHECKED(remember(write_block()));
  if (!dirty_since_ || !options_.sync.due(now - *dirty_since_, dirty_bytes_)) return false;
  RT_CHECKED(sync(now));
  return true;
}

std::optional<Instant> Writer::deadline() const {
  std::optional<Instant> at;
  if (dirty_since_) at = *dirty_since_ + options_.sync.every;
  if (block_since_)
    at =
        at ? std::min(*at, *block_since_ + options_.block_age) : *block_since_ + options_.block_age;
  return at;
}

Result<void> Writer::write_index() {
  std::string frames;
  append_frame(frames, blocks_, tables_);
  Footer footer;
  footer.clean = true;
  footer.index_offset = offset_;
  footer.end_lsn = builder_.tracker().end_lsn();
  footer.t_hi = builder_.tracker().t_hi();
  footer.chain = chain_;
  for (const BlockEntry& block : blocks_) {
    footer.rows += block.rows;
    footer.commits += block.commits;
  }
  append_frame(frames, footer);
  RT_CHECKED(file_.write_at(offset_, frames));
  offset_ += frames.size();
  totals_.file_bytes += frames.size();
  return file_.sync();
}

Result<void> Writer::rotate(Instant now) {
  RT_CHECKED(make_durable());
  RT_CHECKED(write_index());
  const WallTime wall =
      segment_opened_.wall +
      std::chrono::duration_cast<std::chrono::microseconds>(now - segment_opened_.now);
  return start_segment(
      {now, wall},
      segment_path(path_, std::max(builder_.tracker().end_lsn(), header_.origin.consistent_point),
                   header_.number + 1));
}

Result<void> Writer::close(Instant now) {
  RT_CHECKED(sync(now));
  RT_CHECKED(remember(write_index()));
  file_.close();
  failed_ = Error{Code::internal, fmt::format("{} was closed", path_), {}};
  return {};
}

}  // namespace rt::archive

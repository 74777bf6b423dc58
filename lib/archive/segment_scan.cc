#include "archive/segment_scan.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/wire.h"

namespace rt::archive {
namespace {

// What stands at an offset.
enum class Found { block, known, skippable, end, bad };

struct Frame {
  Found found = Found::bad;
  const char* why = "";    // if bad
  std::uint64_t size = 0;  // head and payload; of a block with its data
  BlockHeader block;
  std::string payload;  // if known: index, footer
};

class Hopper {
 public:
  Hopper(const SegmentFile& file, std::uint64_t file_bytes) : file_(file), bytes_(file_bytes) {}

  Result<Frame> at(std::uint64_t offset) {
    Frame frame;
    if (offset == bytes_) {
      frame.found = Found::end;
      return frame;
    }
    if (bytes_ - offset < kFrameHeadBytes) return bad("a frame is cut off in its head");
    RT_CHECKED(file_.read_at(offset, kBlockFrameBytes, buffer_));  // most frames are block headers
    if (buffer_.size() < kFrameHeadBytes) return bad("a frame is cut off in its head");
    const auto magic = load_le<std::uint32_t>(buffer_.data());
    const auto size = load_le<std::uint32_t>(buffer_.data() + 4);
    if (magic < kSkippableMagicFirst || magic > kSkippableMagicLast) {
      return bad("no frame of a recording starts here");
    }
    frame.size = kFrameHeadBytes + std::uint64_t{size};
    if (frame.size > bytes_ - offset) return bad("a frame is cut off");
    if (magic != kSkippableMagic || size < kTagBytes || !has_our_tag(payload())) {
      frame.found = Found::skippable;
      return frame;
    }
    const auto kind = static_cast<FrameKind>(buffer_[kFrameHeadBytes + 4]);
    if (kind == FrameKind::block) return block(offset, size, std::move(frame));
    RT_CHECKED(file_.read_at(offset, static_cast<std::size_t>(frame.size), buffer_));
    if (buffer_.size() != frame.size || !is_intact(payload())) {
      return bad("a frame's checksum does not match");
    }
    if (kind == FrameKind::segment) return bad("another segment's header: files were joined");
    frame.found = Found::known;
    frame.payload = payload();
    return frame;
  }

 private:
  std::string_view payload() const { return std::string_view(buffer_).substr(kFrameHeadBytes); }
  static Frame bad(const char* why) {
    Frame frame;
    frame.why = why;
    return frame;
  }

  Result<Frame> block(std::uint64_t offset, std::uint32_t size, Frame frame) {
    if (buffer_.size() < frame.size) RT_CHECKED(file_.read_at(offset, frame.size, buffer_));
    if (size < kBlockHeaderBytes || !is_intact(payload().substr(0, size))) {
      return bad("a block header's checksum does not match");
    }
    frame.block = RT_TRY(decode_block_header(payload()));
    frame.size += frame.block.compressed_bytes;
    if (frame.size > bytes_ - offset) return bad("a block's data is cut off");
    frame.found = Found::block;
    return frame;
  }

  const SegmentFile& file_;
  std::uint64_t bytes_;
  std::string buffer_;
};

// Offset of the next intact block header at or after `from`; 0 if there is none.
Result<std::uint64_t> find_block(const SegmentFile& file, std::uint64_t from) {
  std::string pattern;
  append_le(pattern, kSkippableMagic);
  append_le(pattern, static_cast<std::uint32_t>(kBlockHeaderBytes));
  append_le(pattern, kTag);
  pattern.push_back(static_cast<char>(FrameKind::block));
  constexpr std::size_t kWindow = 1024 * 1024;
  std::string window;
  for (;;) {
    RT_CHECKED(file.read_at(from, kWindow, window));
    for (std::size_t at = window.find(pattern); at != std::string::npos;
         at = window.find(pattern, at + 1)) {
      if (RT_TRY(read_block_header(file, from + at))) return from + at;
    }
    if (window.size() < kWindow) return std::uint64_t{0};
    from += kWindow - pattern.size();
  }
}

Result<bool> data_intact(const SegmentFile& file, std::uint64_t offset, const BlockHeader& header) {
  std::string data;
  RT_CHECKED(file.read_at(offset + kBlockFrameBytes, header.compressed_bytes, data));
  return data.size() == header.compressed_bytes && hash_bytes(data) == header.compressed_hash;
}

Result<Damage> damage_at(const SegmentFile& file, std::uint64_t offset, std::uint64_t file_bytes,
                         const char* what) {
  Damage damage{file.path(), offset, what, false, 0, 0, 0};
  damage.next_block = RT_TRY(find_block(file, offset + 1));
  damage.torn = damage.next_block == 0;
  damage.bytes = (damage.torn ? file_bytes : damage.next_block) - offset;
  return damage;
}

// The index, if a footer at the very end leads to one that fits the file.
Result<bool> load_index(const SegmentFile& file, SegmentScan& scan) {
  if (scan.file_bytes < scan.data_end + kFooterFrameBytes) return false;
  Hopper hopper(file, scan.file_bytes);
  const std::uint64_t footer_at = scan.file_bytes - kFooterFrameBytes;
  const Frame last = RT_TRY(hopper.at(footer_at));
  if (last.found != Found::known || last.payload[4] != static_cast<char>(FrameKind::footer)) {
    return false;
  }
  const Footer footer = RT_TRY(decode_footer(last.payload));
  if (footer.index_offset < scan.data_end || footer.index_offset >= footer_at) return false;
  const Frame frame = RT_TRY(hopper.at(footer.index_offset));
  if (frame.found != Found::known || frame.payload[4] != static_cast<char>(FrameKind::index) ||
      footer.index_offset + frame.size != footer_at) {
    return false;
  }
  auto index = decode_index(frame.payload);
  if (!index) return false;
  if (!index->blocks.empty()) {
    const Frame tail = RT_TRY(hopper.at(index->blocks.back().offset));
    if (tail.found != Found::block ||
        index->blocks.back().offset + tail.size != footer.index_offset) {
      return false;
    }
    scan.last = tail.block;
  }
  scan.blocks = std::move(index->blocks);
  scan.tables = std::move(index->tables);
  scan.footer = footer;
  scan.data_end = footer.index_offset;
  scan.end = scan.file_bytes;
  return true;
}

void take_known(SegmentScan& scan, const std::string& payload) {
  const char kind = payload[4];
  if (kind == static_cast<char>(FrameKind::index)) {
    if (auto index = decode_index(payload)) scan.tables = std::move(index->tables);
  } else if (kind == static_cast<char>(FrameKind::footer)) {
    if (auto footer = decode_footer(payload)) scan.footer = *footer;
  }
}

// Cuts the scan at the first block of its tail whose data is not what its header says.
Result<void> verify_tail(const SegmentFile& file, SegmentScan& scan, std::uint64_t tail_bytes) {
  const std::uint64_t from = scan.data_end > tail_bytes ? scan.data_end - tail_bytes : 0;
  for (std::size_t i = 0; i < scan.blocks.size(); ++i) {
    const std::uint64_t offset = scan.blocks[i].offset;
    if (offset < from) continue;
    const auto header = RT_TRY(read_block_header(file, offset));
    if (header && RT_TRY(data_intact(file, offset, *header))) continue;
    scan.damages = {RT_TRY(
        damage_at(file, offset, scan.file_bytes, "a block's data does not match its checksum"))};
    scan.damages.back().before_block = i;
    scan.blocks.resize(i);
    scan.last.reset();
    if (i > 0) scan.last = RT_TRY(read_block_header(file, scan.blocks[i - 1].offset));
    scan.end = scan.data_end = offset;
    scan.footer.reset();
    scan.tables.reset();
    return {};
  }
  return {};
}

}  // namespace

std::string Damage::text() const {
  std::string out = fmt::format("{} is damaged at offset {}: {}", path, offset, what);
  if (torn) {
    out += fmt::format("; all before it can be read, {} bytes at the end cannot", bytes);
  } else {
    out += fmt::format("; all before it can be read, and again from offset {}", next_block);
  }
  return out;
}

Result<std::optional<BlockHeader>> read_block_header(const SegmentFile& file,
                                                     std::uint64_t offset) {
  std::string bytes;
  RT_CHECKED(file.read_at(offset, kBlockFrameBytes, bytes));
  if (bytes.size() < kBlockFrameBytes || load_le<std::uint32_t>(bytes.data()) != kSkippableMagic) {
    return std::optional<BlockHeader>();
  }
  const std::string_view payload = std::string_view(bytes).substr(kFrameHeadBytes);
  if (load_le<std::uint32_t>(bytes.data() + 4) != kBlockHeaderBytes || !is_intact(payload) ||
      payload[4] != static_cast<char>(FrameKind::block)) {
    return std::optional<BlockHeader>();
  }
  return std::optional<BlockHeader>(RT_TRY(decode_block_header(payload)));
}

Result<void> extend_scan(const SegmentFile& file, SegmentScan& scan, const ScanOptions& options) {
  scan.file_bytes = RT_TRY(file.size());
  if (scan.file_bytes < scan.data_end) {
    return fail(Code::integrity, fmt::format("{} became shorter while it was read", file.path()));
  }
  if (!options.salvage) scan.damages.clear();
  if (!scan.damages.empty() && scan.damages.back().torn) scan.damages.pop_back();
  scan.end = scan.data_end;  // a writer that goes on cuts the index off first
  scan.footer.reset();
  scan.tables.reset();
  Hopper hopper(file, scan.file_bytes);
  for (;;) {
    Frame frame = RT_TRY(hopper.at(scan.end));
    if (frame.found == Found::end) return {};
    const std::uint64_t previous = scan.blocks.empty() ? 0 : scan.blocks.back().offset;
    if (frame.found == Found::block && scan.damages.empty() &&
        frame.block.previous_offset != previous) {
      frame.found = Found::bad;
      frame.why = "a block is missing or in another's place";
    }
    switch (frame.found) {
      case Found::block:
        scan.blocks.push_back(entry_of(frame.block, scan.end));
        scan.last = frame.block;
        scan.data_end = scan.end + frame.size;
        break;
      case Found::known:
        take_known(scan, frame.payload);
        break;
      case Found::skippable:
        break;
      case Found::bad:
      case Found::end:
        scan.damages.push_back(RT_TRY(damage_at(file, scan.end, scan.file_bytes, frame.why)));
        scan.damages.back().before_block = scan.blocks.size();
        if (!options.salvage || scan.damages.back().torn) return {};
        scan.end = scan.damages.back().next_block;
        continue;
    }
    scan.end += frame.size;
  }
}

Result<SegmentScan> scan_segment(const SegmentFile& file, const ScanOptions& options) {
  SegmentScan scan;
  scan.file_bytes = RT_TRY(file.size());
  const auto story = fmt::format("cannot read {}", file.path());
  if (scan.file_bytes == 0) {
    return fail(Code::integrity, fmt::format("{}: the file is empty (offset 0)", story),
                "the recorder stopped before it wrote anything; nothing can be recovered");
  }
  std::string bytes;
  RT_CHECKED(file.read_at(0, kFrameHeadBytes + kTagBytes, bytes));
  std::string expected;
  append_le(expected, kSkippableMagic);
  const std::string_view head(bytes);
  const bool ours = head.substr(0, 4) == std::string_view(expected).substr(0, head.size()) &&
                    (head.size() < 16 || (has_our_tag(head.substr(8)) && head[12] == 'H'));
  if (!ours) {
    return fail(Code::usage,
                fmt::format("{}: not a recording (no RTR1 header at offset 0)", story));
  }
  const std::uint64_t size =
      head.size() < kFrameHeadBytes ? 0 : load_le<std::uint32_t>(bytes.data() + 4);
  if (size < kTagBytes || size > kMaxSegmentJsonBytes + 4096 ||
      kFrameHeadBytes + size > scan.file_bytes) {
    return fail(Code::integrity,
                fmt::format("{}: damaged at offset 0: the segment header is cut off", story));
  }
  RT_CHECKED(file.read_at(kFrameHeadBytes, static_cast<std::size_t>(size), bytes));
  if (!is_intact(bytes)) {
    return fail(Code::integrity,
                fmt::format("{}: damaged at offset 0: the segment header's checksum does not match",
                            story));
  }
  auto header = decode_segment_header(bytes);
  if (!header) return fail(std::move(header).error().context(story));
  scan.header = std::move(*header);
  scan.end = scan.data_end = kFrameHeadBytes + size;
  if (!options.use_index || !RT_TRY(load_index(file, scan)))
    RT_CHECKED(extend_scan(file, scan, options));
  if (options.verify_tail_bytes > 0) RT_CHECKED(verify_tail(file, scan, options.verify_tail_bytes));
  return scan;
}

}  // namespace rt::archive

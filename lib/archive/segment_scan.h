// Finds the blocks of a segment and where its good part ends: by the index if there is one, else by
// hopping from block header to block header. Reads headers only, unless asked to check more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "archive/frames.h"
#include "archive/segment_file.h"
#include "archive/segment_index.h"

namespace rt::archive {

// Something wrong at `offset`; everything before it can be read.
struct Damage {
  std::string path;
  std::uint64_t offset = 0;
  std::string what;         // "block header checksum does not match", ...
  bool torn = false;        // no block follows: the write that was under way when the writer died
  std::uint64_t bytes = 0;  // that cannot be read: to the next good block, or to the end
  std::uint64_t next_block = 0;  // offset of the next good block header, 0 if torn
  std::size_t before_block = 0;  // index in the segment of the block that follows, if one does

  // "recording.rtr: damaged at offset 4096: block checksum does not match; ..."
  std::string text() const;
};

struct SegmentScan {
  SegmentHeader header;
  std::vector<BlockEntry> blocks;
  std::optional<BlockHeader> last;  // header of the last block
  std::optional<SegmentTables> tables;
  std::optional<Footer> footer;
  std::uint64_t end = 0;        // of the last good frame
  std::uint64_t data_end = 0;   // of the last good block or the segment header: an index may follow
  std::vector<Damage> damages;  // in order; more than one only after salvage
  std::uint64_t file_bytes = 0;
};

struct ScanOptions {
  bool use_index = true;
  bool salvage = false;                 // hop over damage to the next good block
  std::uint64_t verify_tail_bytes = 0;  // check the data checksums of this much of the end
};

// Code::usage if it is not a recording or a newer one, Code::integrity if its header is damaged.
Result<SegmentScan> scan_segment(const SegmentFile& file, const ScanOptions& options = {});
// Goes on from scan.end after the file has grown. Damage found before is looked at again.
Result<void> extend_scan(const SegmentFile& file, SegmentScan& scan,
                         const ScanOptions& options = {});

// The frame at `offset`: a block header of ours that is intact.
Result<std::optional<BlockHeader>> read_block_header(const SegmentFile& file, std::uint64_t offset);

}  // namespace rt::archive

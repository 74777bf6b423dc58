// The index frame I: one entry a block, and tables of relations and markers for people.
// Values and pure functions. Layout: docs/recording-format.md, "Index".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/frames.h"
#include "base/record.h"

namespace rt::archive {

// What a seek needs to know of a block; 40 bytes on disk, in this order.
struct BlockEntry {
  std::uint64_t offset = 0;  // of frame B in its segment
  std::uint64_t last_commit_lsn = 0;
  std::int64_t t_hi = 0;
  std::uint32_t commits = 0;
  std::uint32_t rows = 0;
  std::uint32_t raw_bytes = 0;
  std::uint16_t flags = 0;
};

struct RelationCounts {
  std::string name;  // "schema.table"; the OID in decimal if it was never announced
  std::uint64_t inserts = 0;
  std::uint64_t updates = 0;
  std::uint64_t deletes = 0;
  std::uint64_t truncates = 0;
  std::uint32_t first_block = 0;  // index in the segment
  std::uint32_t last_block = 0;
};

struct Marker {
  std::uint64_t lsn = 0;
  std::int64_t time_us = 0;
  std::string text;
};

struct SegmentTables {
  std::map<std::uint32_t, RelationCounts> relations;  // by OID
  std::vector<Marker> markers;
  bool complete = true;  // false: blocks written before a crash are not counted

  // Counts a record of block `block`.
  void count(const RecordView& record, std::uint32_t block);
  // Markers in an index; more are in the blocks all the same.
  static constexpr std::size_t kMaxMarkers = 65'536;
};

struct SegmentIndex {
  std::vector<BlockEntry> blocks;
  SegmentTables tables;
};

BlockEntry entry_of(const BlockHeader& header, std::uint64_t offset);
void append_frame(std::string& out, const std::vector<BlockEntry>& blocks,
                  const SegmentTables& tables);
// Takes an intact payload; nothing if its counts do not fit its size.
std::optional<SegmentIndex> decode_index(std::string_view payload);

}  // namespace rt::archive

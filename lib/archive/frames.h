// The frames of a segment other than data: H (segment header), B (block header), F (footer), and
// the head every skippable frame has. Encoding appends whole frames, decoding takes whole payloads.
// Pure functions on values; thread-safe. Layout: docs/recording-format.md, "Frames".
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "archive/format.h"
#include "base/result.h"

namespace rt::archive {

// What was recorded, and from where; fixed for the life of a recording.
struct Origin {
  std::uint64_t system_identifier = 0;  // of the PostgreSQL cluster; 0 if the source is another
  std::uint32_t timeline = 0;
  std::uint32_t server_version = 0;    // server_version_num
  std::uint64_t consistent_point = 0;  // LSN where the recording starts
  std::string notes_json = "{}";  // slot, publications, settings, host...: an object, for people
};

struct SegmentHeader {
  std::uint16_t major = kMajorVersion;
  std::uint16_t minor = kMinorVersion;
  std::uint32_t incompat_features = 0;
  std::uint32_t compat_features = 0;
  std::uint32_t number = 1;  // of this segment in its recording, from 1
  std::array<std::uint8_t, 16> recording_id{};
  Origin origin;
  std::uint64_t previous_commit_lsn = 0;  // state at the end of the segment before
  std::uint64_t previous_end_lsn = 0;
  std::int64_t previous_t_hi = 0;
  std::uint64_t chain_in = 0;
  std::int64_t opened_wall_us = 0;  // Unix microseconds
  std::int64_t opened_mono_ns = 0;
};

struct BlockHeader {
  std::uint16_t flags = 0;
  std::uint32_t compressed_bytes = 0;  // of Z, which follows
  std::uint32_t raw_bytes = 0;         // of Z's content
  std::uint64_t compressed_hash = 0;   // XXH3-64 of Z
  std::uint32_t records = 0;           // prelude included
  std::uint32_t rows = 0;              // row changes: I, U, D messages, and the tables of each T
  std::uint32_t commits = 0;
  std::uint32_t open_rows =
      0;  // rows of the transaction open at the start that stand in earlier blocks
  std::uint64_t first_lsn = 0;        // base of the first record's LSN difference
  std::uint64_t last_commit_lsn = 0;  // running: of the last commit up to the end of this block
  std::uint64_t end_lsn = 0;          // running: the position to confirm once this block is durable
  std::int64_t t_first = 0;  // Unix us: time of the first event, or t_hi before if there is none
  std::int64_t t_hi = 0;     // Unix us: running maximum of event times
  std::int64_t received_first = 0;  // Unix us: base of the first record's time difference
  std::int64_t received_last = 0;
  std::uint64_t previous_offset = 0;  // of the B before in this segment; 0 for the first
  std::uint64_t chain = 0;            // XXH3-64 of the content, seeded with the chain before
  std::uint64_t open_lsn =
      0;  // commit LSN of the transaction open at the start, 0 if there is none
};

struct Footer {
  bool clean = false;
  std::uint64_t index_offset = 0;
  std::uint64_t end_lsn = 0;
  std::int64_t t_hi = 0;
  std::uint64_t rows = 0;
  std::uint64_t commits = 0;
  std::uint64_t chain = 0;
};

inline constexpr std::size_t kBlockFrameBytes = kFrameHeadBytes + kBlockHeaderBytes;
inline constexpr std::size_t kFooterFrameBytes = kFrameHeadBytes + kFooterBytes;

std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed = 0);  // XXH3-64

// Appends `payload_without_checksum` as one skippable frame, checksum added.
void append_skippable(std::string& out, std::string_view payload_without_checksum);
// Eight bytes that start each of our payloads.
void append_tag(std::string& out, FrameKind kind, std::size_t fixed_bytes, std::uint16_t flags);
// Tag, size and checksum of a payload are right.
bool is_intact(std::string_view payload);
bool has_our_tag(std::string_view payload);

void append_frame(std::string& out, const SegmentHeader& header);
void append_frame(std::string& out, const BlockHeader& header);
void append_frame(std::string& out, const Footer& footer);

// Each takes an intact payload of its kind. A newer version or an unknown required feature is
// Code::usage.
Result<SegmentHeader> decode_segment_header(std::string_view payload);
Result<BlockHeader> decode_block_header(std::string_view payload);
Result<Footer> decode_footer(std::string_view payload);

}  // namespace rt::archive

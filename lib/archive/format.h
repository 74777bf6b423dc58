// The numbers of the recording format (.rtr). docs/recording-format.md is the normative text; this
// is that text's constants, and nothing here may change without a new version there.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rt::archive {

// A recording written by a newer major version is refused; a newer minor one only adds what may be
// skipped.
inline constexpr std::uint16_t kMajorVersion = 1;
inline constexpr std::uint16_t kMinorVersion = 0;
// Features a reader must know to read on; none is defined yet, so any set bit refuses the file.
inline constexpr std::uint32_t kKnownIncompatFeatures = 0;

// Zstandard frames (RFC 8878 section 3.1): a skippable frame is u32 magic, u32 size, payload.
inline constexpr std::uint32_t kSkippableMagic = 0x184D2A57;
inline constexpr std::uint32_t kSkippableMagicFirst = 0x184D2A50;  // any of the 16 is skippable
inline constexpr std::uint32_t kSkippableMagicLast = 0x184D2A5F;
inline constexpr std::uint32_t kZstdMagic = 0xFD2FB528;
inline constexpr std::size_t kFrameHeadBytes = 8;

// Our skippable payload: u32 tag, u8 kind, u8 fixed part / 8, u16 flags, ..., u64 XXH3 of what is
// before.
inline constexpr std::uint32_t kTag = 0x31525452;  // "RTR1"
inline constexpr std::size_t kTagBytes = 8;
inline constexpr std::size_t kChecksumBytes = 8;
enum class FrameKind : std::uint8_t { segment = 'H', block = 'B', index = 'I', footer = 'F' };

inline constexpr std::size_t kSegmentFixedBytes = 112;  // then JSON, then the checksum
inline constexpr std::size_t kBlockHeaderBytes = 128;   // whole payload, checksum included
inline constexpr std::size_t kIndexFixedBytes = 24;
inline constexpr std::size_t kIndexEntryBytes = 40;
inline constexpr std::size_t kFooterBytes = 64;  // whole payload, checksum included

// Flags of a block header.
inline constexpr std::uint16_t kStartsInTransaction = 1u << 0;
inline constexpr std::uint16_t kEndsInTransaction = 1u << 1;
inline constexpr std::uint16_t kHasSnapshot = 1u << 2;
inline constexpr std::uint16_t kHasGap = 1u << 3;
inline constexpr std::uint16_t kStreamed = 1u << 4;  // reserved for protocol 2
inline constexpr std::uint16_t kHasSchema = 1u << 5;
inline constexpr std::uint16_t kHasAbandon = 1u << 6;
inline constexpr std::uint16_t kHasTwoPhase = 1u << 7;
// Flag of an index: its tables of relations and markers cover the whole segment.
inline constexpr std::uint16_t kTablesComplete = 1u << 0;
// Flag of a footer: written by an orderly close.
inline constexpr std::uint16_t kClean = 1u << 0;

// Bit 7 of a record's kind byte: the record repeats what a decoder needs to start at this block.
inline constexpr std::uint8_t kPreludeBit = 0x80;

// A block closes at this much raw data (a good compromise: the ratio of 1 MiB blocks, decoded in
// 0.1 ms) or this long after its first record, so that a live tail is never older than that.
inline constexpr std::size_t kBlockRawBytes = 256 * 1024;
inline constexpr std::chrono::milliseconds kBlockAge{100};
// PostgreSQL cannot send a message above 1 GiB (MaxAllocSize); a record adds its framing.
inline constexpr std::size_t kMaxRecordBytes = (std::size_t{1} << 30) + 4096;
// One largest record on top of an almost full block, and its prelude. A larger claim is damage.
inline constexpr std::size_t kMaxBlockRawBytes = kMaxRecordBytes + 16 * kBlockRawBytes;
// JSON in a segment header: names and notes of the recording, never data.
inline constexpr std::size_t kMaxSegmentJsonBytes = 1024 * 1024;

}  // namespace rt::archive

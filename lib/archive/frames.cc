#include "archive/frames.h"

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

#include "archive/wire.h"

namespace rt::archive {
namespace {

// Reads fields one after another; the caller has checked the size.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : at_(bytes.data()) {}
  template <typename T>
  Fields& operator>>(T& value) {
    value = load_le<T>(at_);
    at_ += sizeof value;
    return *this;
  }

 private:
  const char* at_;
};

class Appender {
 public:
  explicit Appender(std::string& out) : out_(out) {}
  template <typename T>
  Appender& operator<<(T value) {
    append_le(out_, value);
    return *this;
  }

 private:
  std::string& out_;
};

tl::unexpected<Error> short_header(std::string_view what) {
  return fail(Code::integrity, fmt::format("{} is shorter than this version writes", what));
}

}  // namespace

std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

void append_tag(std::string& out, FrameKind kind, std::size_t fixed_bytes, std::uint16_t flags) {
  append_le(out, kTag);
  out.push_back(static_cast<char>(kind));
  out.push_back(static_cast<char>(fixed_bytes / 8));
  append_le(out, flags);
}

void append_skippable(std::string& out, std::string_view payload) {
  append_le(out, kSkippableMagic);
  append_le(out, static_cast<std::uint32_t>(payload.size() + kChecksumBytes));
  out.append(payload);
  append_le(out, hash_bytes(payload));
}

bool has_our_tag(std::string_view payload) {
  return payload.size() >= kTagBytes && load_le<std::uint32_t>(payload.data()) == kTag;
}

bool is_intact(std::string_view payload) {
  if (!has_our_tag(payload) || payload.size() < kTagBytes + kChecksumBytes) return false;
  const std::size_t covered = payload.size() - kChecksumBytes;
  const auto fixed = static_cast<std::size_t>(static_cast<unsigned char>(payload[5])) * 8;
  return fixed <= payload.size() &&
         load_le<std::uint64_t>(payload.data() + covered) == hash_bytes(payload.substr(0, covered));
}

void append_frame(std::string& out, const SegmentHeader& h) {
  std::string payload;
  append_tag(payload, FrameKind::segment, kSegmentFixedBytes, 0);
  Appender(payload) << h.major << h.minor << h.incompat_features << h.compat_features << h.number;
  payload.append(reinterpret_cast<const char*>(h.recording_id.data()), h.recording_id.size());
  Appender(payload) << h.origin.system_identifier << h.origin.timeline << h.origin.server_version
                    << h.previous_commit_lsn << h.origin.consistent_point << h.chain_in
                    << h.opened_wall_us << h.opened_mono_ns << h.previous_end_lsn
                    << h.previous_t_hi;
  RT_CHECK(payload.size() == kSegmentFixedBytes);
  payload.append(h.origin.notes_json);
  append_skippable(out, payload);
}

Result<SegmentHeader> decode_segment_header(std::string_view payload) {
  if (payload.size() < 16) return short_header("the segment header");
  SegmentHeader h;
  Fields version(payload.substr(kTagBytes));
  version >> h.major >> h.minor >> h.incompat_features;
  if (h.major > kMajorVersion) {
    return fail(Code::usage,
                fmt::format("written in format version {}.{}, this program reads up to version {}",
                            h.major, h.minor, kMajorVersion),
                "use a newer release of this program");
  }
  if ((h.incompat_features & ~kKnownIncompatFeatures) != 0) {
    return fail(Code::usage,
                fmt::format("needs features 0x{:x} that this program does not know",
                            h.incompat_features & ~kKnownIncompatFeatures),
                "use a newer release of this program");
  }
  const auto fixed = static_cast<std::size_t>(static_cast<unsigned char>(payload[5])) * 8;
  if (fixed < kSegmentFixedBytes || payload.size() < fixed + kChecksumBytes) {
    return short_header("the segment header");
  }
  Fields before_id(payload.substr(16));
  before_id >> h.compat_features >> h.number;
  std::memcpy(h.recording_id.data(), payload.data() + 24, h.recording_id.size());
  Fields after_id(payload.substr(40));
  after_id >> h.origin.system_identifier >> h.origin.timeline >> h.origin.server_version >>
      h.previous_commit_lsn >> h.origin.consistent_point >> h.chain_in >> h.opened_wall_us >>
      h.opened_mono_ns >> h.previous_end_lsn >> h.previous_t_hi;
  h.origin.notes_json = payload.substr(fixed, payload.size() - fixed - kChecksumBytes);
  return h;
}

void append_frame(std::string& out, const BlockHeader& h) {
  std::string payload;
  append_tag(payload, FrameKind::block, kBlockHeaderBytes, h.flags);
  Appender(payload) << h.compressed_bytes << h.raw_bytes << h.compressed_hash << h.records << h.rows
                    << h.commits << h.open_rows << h.first_lsn << h.last_commit_lsn << h.end_lsn
                    << h.t_first << h.t_hi << h.received_first << h.received_last
                    << h.previous_offset << h.chain << h.open_lsn;
  RT_CHECK(payload.size() + kChecksumBytes == kBlockHeaderBytes);
  append_skippable(out, payload);
}

Result<BlockHeader> decode_block_header(std::string_view payload) {
  if (payload.size() < kBlockHeaderBytes) return short_header("a block header");
  BlockHeader h;
  Fields(payload.substr(6)) >> h.flags >> h.compressed_bytes >> h.raw_bytes >> h.compressed_hash >>
      h.records >> h.rows >> h.commits >> h.open_rows >> h.first_lsn >> h.last_commit_lsn >>
      h.end_lsn >> h.t_first >> h.t_hi >> h.received_first >> h.received_last >>
      h.previous_offset >> h.chain >> h.open_lsn;
  return h;
}

void append_frame(std::string& out, const Footer& f) {
  std::string payload;
  append_tag(payload, FrameKind::footer, kFooterBytes, f.clean ? kClean : std::uint16_t{0});
  Appender(payload) << f.index_offset << f.end_lsn << f.t_hi << f.rows << f.commits << f.chain;
  RT_CHECK(payload.size() + kChecksumBytes == kFooterBytes);
  append_skippable(out, payload);
}

Result<Footer> decode_footer(std::string_view payload) {
  if (payload.size() < kFooterBytes) return short_header("the footer");
  Footer f;
  std::uint16_t flags = 0;
  Fields(payload.substr(6)) >> flags >> f.index_offset >> f.end_lsn >> f.t_hi >> f.rows >>
      f.commits >> f.chain;
  f.clean = (flags & kClean) != 0;
  return f;
}

}  // namespace rt::archive

// Frames of HTTP/2 as they come in (RFC 9113 section 4.1), so that some of them can be taken before
// nghttp2 sees them. Sans-IO: split anywhere. One thread at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "proto/big_endian.h"

namespace rt::http2 {

using StreamId = std::int32_t;

struct FrameHead {
  static constexpr std::size_t kBytes = 9;

  std::uint32_t length = 0;  // of the payload; 24 bits
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  StreamId stream = 0;  // 31 bits

  static FrameHead parse(const char* from) {
    return {load_big_endian<std::uint32_t>(from) >> 8, static_cast<std::uint8_t>(from[3]),
            static_cast<std::uint8_t>(from[4]), load_big_endian<StreamId>(from + 5) & 0x7FFFFFFF};
  }
  void append_to(std::string& out) const {
    std::array<char, kBytes> bytes;
    store_big_endian<std::uint32_t>(bytes.data(), length << 8 | type);
    bytes[4] = static_cast<char>(flags);
    store_big_endian<StreamId>(bytes.data() + 5, stream);
    out.append(bytes.data(), bytes.size());
  }
};

// Every peer takes payloads of this size unless told otherwise (RFC 9113 section 4.2).
inline constexpr std::size_t kFrameBytesMax = 16'384;

// Section 6.9; stream 0: of the connection.
inline void append_window_update(std::string& out, StreamId stream, std::uint32_t increment) {
  constexpr std::uint8_t kType = 8;
  FrameHead{sizeof increment, kType, 0, stream}.append_to(out);
  append_big_endian(out, increment);
}

class FrameSplitter {
 public:
  // `preface`: bytes before the first frame, which pass.
  explicit FrameSplitter(std::uint32_t preface = 0) : left_(preface) {}

  // Gives all bytes to the owner, in their order:
  //   bool takes(const FrameHead&)      before each frame: is it taken?
  //   bool on_taken(const FrameHead&, std::string_view piece, bool last)      of its payload
  //   bool on_passed(std::string_view)  what is not taken, heads included
  // False of the latter two ends it, and of split() says that it ended so.
  template <typename Owner>
  bool split(std::string_view bytes, Owner&& owner) {
    while (!bytes.empty()) {
      if (left_ > 0) {
        const std::string_view piece = bytes.substr(0, left_);
        bytes.remove_prefix(piece.size());
        left_ -= static_cast<std::uint32_t>(piece.size());
        const bool goes_on =
            taking_ ? owner.on_taken(head_, piece, left_ == 0) : owner.on_passed(piece);
        if (!goes_on) return false;
      } else if (!begin(bytes, owner)) {
        return false;
      }
    }
    return true;
  }

  // Between HEADERS and the last of its CONTINUATION frames nothing else may come (section 6.10).
  // Within takes(): before the frame asked about.
  bool amid_head() const { return amid_head_; }
  // What has passed ends with a whole frame, or a whole head if that came in several.
  bool passed_whole() const { return (left_ == 0 || taking_) && !amid_head_; }

 private:
  template <typename Owner>
  bool begin(std::string_view& bytes, Owner& owner) {
    const std::size_t size = std::min(bytes.size(), kept_.size() - kept_size_);
    std::memcpy(kept_.data() + kept_size_, bytes.data(), size);
    kept_size_ = static_cast<std::uint8_t>(kept_size_ + size);
    bytes.remove_prefix(size);
    if (kept_size_ < kept_.size()) return true;
    kept_size_ = 0;
    head_ = FrameHead::parse(kept_.data());
    left_ = head_.length;
    taking_ = owner.takes(head_);
    constexpr std::uint8_t kHeaders = 1;
    constexpr std::uint8_t kContinuation = 9;
    constexpr std::uint8_t kEndHeaders = 4;
    if (head_.type == kHeaders || head_.type == kContinuation) {
      amid_head_ = (head_.flags & kEndHeaders) == 0;
    }
    if (!taking_) return owner.on_passed(std::string_view(kept_.data(), kept_.size()));
    return left_ > 0 || owner.on_taken(head_, {}, true);
  }

  FrameHead head_;
  std::uint32_t left_;                          // of the preface, or of the payload at hand
  std::array<char, FrameHead::kBytes> kept_{};  // of a head split over reads
  std::uint8_t kept_size_ = 0;
  bool taking_ = false;
  bool amid_head_ = false;
};

}  // namespace rt::http2

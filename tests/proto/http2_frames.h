// Frames of HTTP/2 written by hand, right or wrong: RFC 9113 section 4.1.
#pragma once

#include <cstdint>
#include <string>

#include "proto/http2_session.h"

namespace rt::test::frames {

enum Type : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};
constexpr std::uint8_t kEndStream = 1;
constexpr std::uint8_t kEndHeaders = 4;

inline std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    text += static_cast<char>(value >> shift & 0xFF);
  }
  return text;
}

inline std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                         const std::string& payload = {}) {
  return number(payload.size(), 3) + number(type, 1) + number(flags, 1) + number(stream, 4) +
         payload;
}

// A header field as HPACK writes it without tables and Huffman codes (RFC 7541 section 6.2.2).
inline std::string literal(const std::string& name, const std::string& value) {
  return std::string(1, '\0') + static_cast<char>(name.size()) + name +
         static_cast<char>(value.size()) + value;
}

inline const std::string kGetHead = literal(":method", "GET") + literal(":scheme", "http") +
                                    literal(":authority", "a") + literal(":path", "/stream");
inline const std::string kHello = std::string(http2::kPreface) + frame(kSettings, 0, 0);

inline std::string get(std::uint32_t stream) {
  return frame(kHeaders, kEndStream | kEndHeaders, stream, kGetHead);
}

}  // namespace rt::test::frames

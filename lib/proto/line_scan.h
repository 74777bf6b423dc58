// Finding the end of a line quickly, without reading a byte beyond the input.
// SSE lines end at CR or LF and nowhere else (WHATWG HTML 9.2.6), so one look at 16 bytes is two
// compares.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace rt {

#if defined(__SSE2__)
namespace line_scan {

inline __m128i load16(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}
inline __m128i line_ends16(__m128i bytes) {
  return _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')),
                      _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));
}
inline unsigned mask16(__m128i flags) {
  return static_cast<unsigned>(_mm_movemask_epi8(flags));
}

}  // namespace line_scan
#endif

// The first CR or LF in [begin, end), or end.
inline const char* find_line_end(const char* begin, const char* end) {
  const char* at = begin;
#if defined(__SSE2__)
  using namespace line_scan;
  for (; end - at >= 64; at += 64) {  // long lines: one branch for 64 bytes
    const __m128i a = line_ends16(load16(at));
    const __m128i b = line_ends16(load16(at + 16));
    const __m128i c = line_ends16(load16(at + 32));
    const __m128i d = line_ends16(load16(at + 48));
    if (mask16(_mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d))) == 0) continue;
    const std::uint64_t low = mask16(a) | mask16(b) << 16;
    const std::uint64_t high = mask16(c) | mask16(d) << 16;
    return at + std::countr_zero(low | high << 32);
  }
  for (; end - at >= 16; at += 16) {
    const unsigned mask = mask16(line_ends16(load16(at)));
    if (mask != 0) return at + std::countr_zero(mask);
  }
#else
  for (; end - at >= 8; at += 8) {  // eight bytes in a word: the classic test for a zero byte
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    const auto has_zero = [](std::uint64_t x) {
      return (x - 0x0101010101010101u) & ~x & 0x8080808080808080u;
    };
    if ((has_zero(word ^ 0x0A0A0A0A0A0A0A0Au) | has_zero(word ^ 0x0D0D0D0D0D0D0D0Du)) != 0) break;
  }
#endif
  while (at != end && *at != '\n' && *at != '\r') ++at;
  return at;
}

inline bool is_ascii(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
#if defined(__SSE2__)
  using namespace line_scan;
  for (; end - at >= 64; at += 64) {
    const __m128i any = _mm_or_si128(_mm_or_si128(load16(at), load16(at + 16)),
                                     _mm_or_si128(load16(at + 32), load16(at + 48)));
    if (mask16(any) != 0) return false;
  }
#endif
  for (; end - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    if ((word & 0x8080808080808080u) != 0) return false;
  }
  for (; at != end; ++at) {
    if ((static_cast<unsigned char>(*at) & 0x80) != 0) return false;
  }
  return true;
}

}  // namespace rt

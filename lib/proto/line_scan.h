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

// Walks from line end to line end, 64 bytes a look; faster than find_line_end where lines are
// short.
class LineEnds {
 public:
  explicit LineEnds(std::string_view text)
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()), mask_(look(at_)) {}
  // All bytes up to here are ASCII and none is NUL. False may also mean: not looked at.
  bool is_plain() const { return not_plain_ == 0; }
  // The next CR or LF, or the end of the text. A CR LF is two line ends.
  [[gnu::always_inline]] const char* next() {
    while (mask_ == 0) {
      if (end_ - at_ <= 64) return end_;
      at_ += 64;
      mask_ = look(at_);
    }
    const char* const found = at_ + std::countr_zero(mask_);
    mask_ &= mask_ - 1;
    return found;
  }

 private:
  // Bit i: a line end at at[i]. Inlined, so that a walk lives in registers.
  [[gnu::always_inline]] std::uint64_t look(const char* at) {
#if defined(__SSE2__)
    using namespace line_scan;
    if (end_ - at >= 64) {
      const __m128i a = load16(at);
      const __m128i b = load16(at + 16);
      const __m128i c = load16(at + 32);
      const __m128i d = load16(at + 48);
      const __m128i least = _mm_min_epu8(_mm_min_epu8(a, b), _mm_min_epu8(c, d));
      const __m128i any = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
      not_plain_ |= mask16(_mm_or_si128(any, _mm_cmpeq_epi8(least, _mm_setzero_si128())));
      const std::uint64_t low = mask16(line_ends16(a)) | mask16(line_ends16(b)) << 16;
      const std::uint64_t high = mask16(line_ends16(c)) | mask16(line_ends16(d)) << 16;
      return low | high << 32;
    }
#endif
    not_plain_ = 1;  // not looked at
    return look_at_rest(begin_, at, end_);
  }
  static std::uint64_t look_at_rest(const char* begin, const char* at, const char* end) {
    std::uint64_t mask = 0;
    const char* from = at;
#if defined(__SSE2__)
    using namespace line_scan;
    for (; end - from >= 16; from += 16) {
      mask |= std::uint64_t{mask16(line_ends16(load16(from)))} << (from - at);
    }
    if (end - begin >= 16 && from != end) {  // the last 16 bytes, without those already seen
      const unsigned last = mask16(line_ends16(load16(end - 16))) >> (16 - (end - from));
      return mask | std::uint64_t{last} << (from - at);
    }
#endif
    for (; from < end && from - at < 64; ++from) {
      if (*from == '\n' || *from == '\r') mask |= std::uint64_t{1} << (from - at);
    }
    return mask;
  }

  const char* begin_;
  const char* at_;  // of the 64 bytes that mask_ is about
  const char* end_;
  unsigned not_plain_ = 0;  // before mask_, whose first look sets it
  std::uint64_t mask_;      // line ends not yet handed out
};

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

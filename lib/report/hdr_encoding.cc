#include "report/hdr_encoding.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstdint>

#include "base/base64.h"
#include "base/text.h"

namespace rt {
namespace {

constexpr std::uint32_t kCookie = 0x1c849313;
constexpr std::uint32_t kCompressedCookie = 0x1c849314;
constexpr std::size_t kHeaderBytes = 40;
constexpr std::uint32_t kDigits = 3;
constexpr int kGroupsMax = 8;  // of 7 bits; a ninth byte carries the last 8
// All slots in use, at nine bytes each, and the header: no histogram of ours is longer.
constexpr std::size_t kPlainMax = kHeaderBytes + Histogram::kSlots * 9;

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift & 0xFF));
  }
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

void append_zigzag(std::string& out, std::int64_t value) {
  std::uint64_t left =
      static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
  for (int group = 0; group < kGroupsMax; ++group) {
    if (left < 0x80) break;
    out.push_back(static_cast<char>((left & 0x7F) | 0x80));
    left >>= 7;
  }
  out.push_back(static_cast<char>(left));
}

// Takes one number off the front; false when the bytes end in the middle of it.
bool take_zigzag(std::string_view& bytes, std::int64_t& value) {
  std::uint64_t read = 0;
  for (int group = 0;; ++group) {
    if (bytes.empty()) return false;
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (group == kGroupsMax) {
      read |= std::uint64_t{byte} << 56;
      break;
    }
    read |= std::uint64_t{byte & 0x7FU} << (7 * group);
    if ((byte & 0x80) == 0) break;
  }
  value = static_cast<std::int64_t>(read >> 1) ^ -static_cast<std::int64_t>(read & 1);
  return true;
}

std::string compressed(const std::string& plain) {
  std::string out(::compressBound(plain.size()), '\0');
  uLongf length = out.size();
  const int done = ::compress2(reinterpret_cast<Bytef*>(out.data()), &length,
                               reinterpret_cast<const Bytef*>(plain.data()), plain.size(),
                               Z_DEFAULT_COMPRESSION);
  RT_CHECK(done == Z_OK);
  out.resize(length);
  return out;
}

tl::unexpected<Error> refuse(std::string_view why) {
  return fail(Code::usage, fmt::format("cannot read encoded histogram: {}", why));
}

// Sums and extremes as the slots tell them.
void fill_sums(Histogram::Sparse& sparse) {
  if (sparse.pairs.empty()) return;
  constexpr double kMost = 9e18;  // what a sum of 63 bits holds; hostile counts go beyond
  double sum = 0;
  for (const Histogram::Sparse::Pair& pair : sparse.pairs) {
    const std::int64_t middle =
        (Histogram::lowest_of(pair.slot) + Histogram::highest_of(pair.slot)) / 2;
    sum += static_cast<double>(middle) * static_cast<double>(pair.count);
  }
  sparse.sum_us = static_cast<std::int64_t>(std::min(sum, kMost));
  sparse.min_us = Histogram::lowest_of(sparse.pairs.front().slot);
  sparse.max_us = Histogram::highest_of(sparse.pairs.back().slot);
}

Result<Histogram::Sparse> read_counts(std::string_view counts) {
  Histogram::Sparse out;
  std::size_t slot = 0;
  while (!counts.empty()) {
    std::int64_t count = 0;
    if (!take_zigzag(counts, count)) return refuse("it ends in the middle of a number");
    const std::uint64_t step = count < 0 ? 0 - static_cast<std::uint64_t>(count) : 1;
    if (step > Histogram::kSlots - slot) return refuse("it has values beyond one hour");
    if (count > 0) out.pairs.push_back({slot, static_cast<std::uint64_t>(count)});
    slot += step;
  }
  fill_sums(out);
  return out;
}

}  // namespace

std::string hdr_base64(const Histogram& histogram) {
  std::string counts;
  std::size_t next = 0;
  for (const Histogram::Sparse::Pair& pair : histogram.sparse().pairs) {
    if (pair.slot > next) append_zigzag(counts, -static_cast<std::int64_t>(pair.slot - next));
    append_zigzag(counts, static_cast<std::int64_t>(pair.count));
    next = pair.slot + 1;
  }
  std::string plain;
  append_big_endian(plain, kCookie, 4);
  append_big_endian(plain, counts.size(), 4);
  append_big_endian(plain, 0, 4);  // normalising offset
  append_big_endian(plain, kDigits, 4);
  append_big_endian(plain, static_cast<std::uint64_t>(Histogram::kMinUs), 8);
  append_big_endian(plain, static_cast<std::uint64_t>(Histogram::kMaxUs), 8);
  append_big_endian(plain, std::bit_cast<std::uint64_t>(1.0), 8);  // conversion ratio
  plain += counts;
  const std::string squeezed = compressed(plain);
  std::string bytes;
  append_big_endian(bytes, kCompressedCookie, 4);
  append_big_endian(bytes, squeezed.size(), 4);
  bytes += squeezed;
  std::string out;
  append_base64(out, bytes);
  return out;
}

Result<Histogram::Sparse> slots_of_hdr_base64(std::string_view text) {
  const auto bytes = decode_base64(text);
  if (!bytes) return refuse("it is not base64");
  const std::string_view all = *bytes;
  if (all.size() < 8 || big_endian(all.substr(0, 4)) != kCompressedCookie) {
    return refuse("not the compressed V2 encoding of HdrHistogram");
  }
  if (big_endian(all.substr(4, 4)) != all.size() - 8) return refuse("its length is wrong");
  std::string plain(kPlainMax, '\0');
  uLongf length = plain.size();
  const int done = ::uncompress(reinterpret_cast<Bytef*>(plain.data()), &length,
                                reinterpret_cast<const Bytef*>(all.data() + 8), all.size() - 8);
  if (done != Z_OK || length < kHeaderBytes) return refuse("its zlib stream is damaged");
  plain.resize(length);
  const std::string_view head = plain;
  if (big_endian(head.substr(0, 4)) != kCookie) return refuse("not the V2 encoding");
  if (big_endian(head.substr(4, 4)) != length - kHeaderBytes) {
    return refuse("the length of its counts is wrong");
  }
  if (big_endian(head.substr(8, 4)) != 0 || big_endian(head.substr(12, 4)) != kDigits ||
      big_endian(head.substr(16, 8)) != static_cast<std::uint64_t>(Histogram::kMinUs)) {
    return refuse("another layout: expected 3 digits from 1 on");
  }
  return read_counts(head.substr(kHeaderBytes));
}

}  // namespace rt

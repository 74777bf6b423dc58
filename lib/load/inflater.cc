#include "load/inflater.h"

#include <zlib.h>

#include <array>

#include "base/result.h"

namespace rt {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;

// One for all streams of a thread: a piece is used up before the next is unpacked.
std::array<char, 32 * 1024>& scratch() {
  thread_local std::array<char, 32 * 1024> bytes;
  return bytes;
}

}  // namespace

struct Inflater::Zlib {
  z_stream stream{};
};

Inflater::Inflater() : zlib_(std::make_unique<Zlib>()) {
  RT_CHECK(inflateInit2(&zlib_->stream, kGzipOnly) == Z_OK);
}

Inflater::~Inflater() {
  inflateEnd(&zlib_->stream);
}

Inflater::Status Inflater::next(std::string_view& bytes, std::string_view& plain) {
  z_stream& stream = zlib_->stream;
  std::array<char, 32 * 1024>& out = scratch();
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int outcome = inflate(&stream, Z_SYNC_FLUSH);
  bytes.remove_prefix(bytes.size() - stream.avail_in);
  plain = std::string_view(out.data(), out.size() - stream.avail_out);
  if (outcome != Z_OK && outcome != Z_STREAM_END && outcome != Z_BUF_ERROR) return Status::bad;
  if (!plain.empty()) return Status::payload;
  return outcome == Z_STREAM_END ? Status::done : Status::need_more;
}

}  // namespace rt

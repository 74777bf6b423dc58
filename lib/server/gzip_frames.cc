#include "server/gzip_frames.h"

#include <zlib.h>

#include "base/result.h"

namespace rt::server {

std::string gzip_blocks(std::string_view frame) {
  constexpr int kLevel = 1;            // small frames gain little from more
  constexpr int kRawWindowBits = -15;  // no zlib or gzip wrapper
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  RT_CHECK(deflateInit2(&stream, kLevel, Z_DEFLATED, kRawWindowBits, kMemoryLevel,
                        Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, static_cast<uLong>(frame.size())) + 16, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(frame.data()));
  stream.avail_in = static_cast<uInt>(frame.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  RT_CHECK(deflate(&stream, Z_FULL_FLUSH) == Z_OK && stream.avail_in == 0);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace rt::server

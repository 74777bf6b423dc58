// gzip streams that many connections share: each frame is compressed once, on its own, into a whole
// number of deflate blocks that end at a byte (Z_FULL_FLUSH), so that any sequence of them behind a
// gzip header is a valid stream, and each is readable as soon as it arrives. The stream has no
// trailer: it ends when the connection does (RFC 1951, RFC 1952). Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace rt::server {

// RFC 1952 section 2.3: deflate, no name, no time, unknown system.
inline constexpr std::string_view kGzipHeader{"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", 10};

std::string gzip_blocks(std::string_view frame);

}  // namespace rt::server

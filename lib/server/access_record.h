// One line of the access log: what was asked, by whom, and what came of it. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "proto/http1_request.h"
#include "server/surface.h"

namespace rt::server {

struct AccessRecord {
  enum class Kind : std::uint8_t {
    request,  // answered as a whole
    open,     // an event stream has begun
    end,      // and is over
  };
  Kind kind = Kind::request;
  bool tls = false;
  std::uint8_t version = 0;  // 10, 11, 20; 0: no request could be read
  Surface surface = Surface::general;
  int status = 0;           // 0: the client was gone before the answer
  const char* reason = "";  // of an end: client, slow, done, expired, shutdown
  std::uint64_t bytes = 0;  // of the answer's body, or of the stream so far
  Duration took{};          // since the request's head was complete
  WallTime at{};
  std::string peer{};       // "127.0.0.1:5000"
  std::string method{};     // empty: no request could be read
  std::string path{};       // as sent; cut at kPathBytesMax
  std::string query{};      // see shown_query()
  std::string principal{};  // who asks, where the surface knows
};

// A stream keeps its own until it ends: 400,000 of them shall fit.
inline constexpr std::size_t kPathBytesMax = 256;

enum class AccessFormat : std::uint8_t { key_value, json };

// Appends the line, with its line feed. What strangers sent is quoted: no line has another in it.
void append_line(std::string& out, const AccessRecord& record, AccessFormat format);

// A query as it may be written down: values of parameters that the surfaces know and that are no
// secret; of all others the names alone, because tokens do end up in addresses.
std::string shown_query(std::string_view query);
// Whatever stands before the query, cut.
std::string shown_path(std::string_view target);

}  // namespace rt::server

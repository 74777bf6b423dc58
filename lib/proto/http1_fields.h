// One whole HTTP/1 head, taken apart and checked by Boost.Beast (RFC 9112), which stays in the .cc.
// For http1_request and http1_response; thread-safe, no state.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proto/http1_head.h"

namespace rt::http1 {

struct StartLine {
  std::string_view method;  // request
  std::string_view target;  // request
  int status = 0;           // response
  std::string_view reason;  // response; may be empty
  int version = 0;          // 10 or 11
  bool keep_alive = false;
  bool chunked = false;  // the last transfer coding is chunked
  std::optional<std::uint64_t> content_length;
};

enum class HeadFault : std::uint8_t {
  none,
  method,
  target,
  version,
  status,
  field,  // a header name or value with a character that must not be there
  content_length,
  transfer_encoding,
  too_many_headers,
  malformed,
};
const char* fault_text(HeadFault fault);

// `head` ends with its blank line; views in `line` and `headers` point into it.
HeadFault parse_request_lines(std::string_view head, StartLine& line, Headers& headers);
HeadFault parse_response_lines(std::string_view head, StartLine& line, Headers& headers);

}  // namespace rt::http1

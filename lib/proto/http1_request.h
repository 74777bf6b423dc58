// Reads the head of one HTTP/1 request (RFC 9112 sections 3 to 6). Sans-IO, incremental; bodies are
// not read here. The parser lives only while a head is read: an idle connection keeps none. What
// could mean two things to two readers (Transfer-Encoding beside Content-Length, a bare LF, folded
// lines, a blank before a colon, no or two Host lines) is refused with 400. One thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/http1_head.h"

namespace rt::http1 {

// Views live as long as the parser and the bytes given to it.
struct RequestHead {
  std::string_view method;  // "GET"; any token
  std::string_view target;  // as sent
  std::string path;         // percent-decoded, no query; "*" for OPTIONS *
  std::string_view query;   // after '?', as sent; valid percent-encoding
  int version = 11;         // 10, 11, or 20: see http2_head.h
  Headers headers;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;     // the body is in chunked coding
  bool keep_alive = false;  // the client wants the connection kept

  // The decoded first parameter of that name; "" if it has no value.
  std::optional<std::string> parameter(std::string_view name) const;
  std::string_view header(std::string_view name) const {  // "" if absent
    return headers.find(name).value_or(std::string_view());
  }
  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

struct RequestLimits {
  std::size_t head_bytes_max = kHeadBytesMax;             // beyond: 431
  std::size_t target_bytes_max = 8 << 10;                 // RFC 9112 3: at least 8000; beyond: 414
  std::uint64_t body_bytes_max = std::uint64_t{1} << 20;  // beyond: 413
};

// Why a request is not taken: 400 413 414 431 501 505, and a text for who sent it.
struct Refusal {
  int status = 0;  // 0: it is taken
  const char* text = "";
};

// Splits head.target into path and query, and checks it and the body's length; for HTTP/1 and 2.
Refusal resolve_target(RequestHead& head, const RequestLimits& limits);

class RequestParser {
 public:
  explicit RequestParser(const RequestLimits& limits = {})
      : limits_(limits), collector_(limits.head_bytes_max) {}

  // Advances `bytes` past the head; what follows is the body or the next request.
  HeadStatus receive(std::string_view& bytes);

  const RequestHead& head() const { return head_; }       // once complete
  int refusal_status() const { return refusal_.status; }  // once bad
  const char* refusal_text() const { return refusal_.text; }

 private:
  HeadStatus refuse(int status, const char* text);
  HeadStatus check();

  RequestLimits limits_;
  HeadCollector collector_;
  RequestHead head_;
  Refusal refusal_;
};

}  // namespace rt::http1

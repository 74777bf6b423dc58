// Reads the head of one HTTP/1 response (RFC 9112 sections 4 to 6). Sans-IO, incremental; the body
// is left to the caller (chunked.h for chunked coding). Interim answers (1xx) are skipped. The
// parser lives only while a head is read. One thread at a time.
#pragma once

#include <cstdint>
#include <string_view>

#include "proto/http1_head.h"

namespace rt::http1 {

enum class BodyFraming : std::uint8_t {
  none,    // 204, 304 and length 0
  length,  // content_length bytes
  chunked,
  until_close,
};

// Views live as long as the parser and the bytes given to it.
struct ResponseHead {
  int status = 0;
  std::string_view reason;  // may be empty
  Headers headers;
  BodyFraming framing = BodyFraming::none;
  std::uint64_t content_length = 0;  // framing length
  bool keep_alive = false;

  std::string_view header(std::string_view name) const {  // "" if absent
    return headers.find(name).value_or(std::string_view());
  }
  std::string_view content_type() const { return header("content-type"); }
  std::string_view location() const { return header("location"); }
  std::string_view retry_after() const { return header("retry-after"); }
  bool is_event_stream() const { return http1::is_event_stream(content_type()); }
};

class ResponseParser {
 public:
  explicit ResponseParser(std::size_t head_bytes_max = kHeadBytesMax)
      : collector_(head_bytes_max) {}

  // Advances `bytes` past the head; what follows is the body. After `bad` the connection is of no
  // use.
  HeadStatus receive(std::string_view& bytes);

  const ResponseHead& head() const { return head_; }  // once complete
  const char* fault() const { return fault_; }        // once bad: why, in words
  void reset();                                       // for the next response on the connection

 private:
  HeadStatus refuse(const char* fault);
  HeadStatus take(std::string_view text);

  HeadCollector collector_;
  ResponseHead head_;
  const char* fault_ = nullptr;
  std::uint8_t interim_count_ = 0;
};

}  // namespace rt::http1

// The head of one HTTP/2 request (RFC 9113 section 8.3), collected field by field, as the
// RequestHead that HTTP/1 yields too: what reads requests need not know which it was. Sans-IO. That
// pseudo-headers are complete and first, and names lower case, nghttp2 has checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/http1_request.h"

namespace rt::http2 {

// Each field counts for its octets and this much (RFC 9113 section 6.5.2).
inline constexpr std::size_t kFieldOverhead = 32;
// What a head may grow to before its connection is closed. Up to here a client is told with 431;
// a larger one was made to cost: a kilobyte of HPACK can stand for megabytes.
inline constexpr std::size_t kHopelessHeadBytes = 4 * http1::kHeadBytesMax;

class Head {
 public:
  explicit Head(const http1::RequestLimits& limits = {}) : limits_(limits) {}

  // False: the head is hopelessly large. What is beyond the limits is counted, not kept.
  bool add(std::string_view name, std::string_view value);

  // After the last field. body_follows: the stream has not ended with the head.
  http1::Refusal finish(bool body_follows);

  // Once finished without a refusal. Views live as long as this does and is not moved.
  const http1::RequestHead& head() const { return head_; }

 private:
  struct Field {
    std::uint32_t name_size;
    std::uint32_t value_size;
  };
  void place_fields();

  http1::RequestLimits limits_;
  std::size_t list_bytes_ = 0;  // as SETTINGS_MAX_HEADER_LIST_SIZE counts
  std::string text_;            // names and values, one after another
  std::vector<Field> fields_;
  std::string_view authority_;
  http1::RequestHead head_;
};

}  // namespace rt::http2

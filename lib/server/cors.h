// Which pages of other origins may read what the server answers: an allow-list (CORS, WHATWG Fetch
// section 3.2). With a list it decides for every surface; without one each surface says what the
// system that it stands in for says. Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "proto/http1_request.h"

namespace rt::server {

class CorsPolicy {
 public:
  // "https://app.example", compared octet by octet, or "*" for all. Code::usage: no origin, or one
  // that no browser sends.
  static Result<CorsPolicy> parse(const std::vector<std::string>& origins);

  // What was decided about a request, in as little as a connection can keep.
  using Grant = std::uint8_t;
  static constexpr Grant kNone = 0;

  Grant judge(const http1::RequestHead& head) const;
  // Asks what it might send, and sends nothing yet: to be answered with 204 and these lines.
  static bool is_preflight(const http1::RequestHead& head);
  static std::string_view preflight_lines(Grant grant);

  // Puts the decision in place of whatever the header lines (each with CRLF) say of it.
  void apply(std::string& header_lines, Grant grant) const;
  // The same for bytes that begin with the head of an answer.
  void apply_to_head(std::string& text, Grant grant) const;

 private:
  static constexpr Grant kAny = 255;

  std::vector<std::string> origins_;  // named ones; the grant is the place in here, from 1
  bool any_ = false;
};

}  // namespace rt::server

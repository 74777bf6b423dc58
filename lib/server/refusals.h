// Answers that several endpoints give in the same words. Pure; thread-safe.
#pragma once

#include <optional>
#include <string_view>

#include "server/endpoint.h"

namespace rt::server {

// Header lines of a 401 that a bearer token would have avoided (RFC 6750 section 3).
inline constexpr std::string_view kBearerChallenge =
    "WWW-Authenticate: Bearer\r\nVary: Authorization\r\n";

// 405 for anything but a GET or HEAD without a body.
inline std::optional<Answer> refuse_unless_read(const http1::RequestHead& head) {
  if ((head.method == "GET" || head.method == "HEAD") && !head.has_body()) return std::nullopt;
  return Answer{.status = 405, .body = "Method not allowed\n", .headers = "Allow: GET, HEAD\r\n"};
}

}  // namespace rt::server

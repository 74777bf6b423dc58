// An answer that is taken as a whole. A plain value.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace rt {

// What is fetched so is a line, or a page of figures.
inline constexpr std::size_t kHttpReplyBytesMax = 1u << 20;

struct HttpReply {
  long status = 0;
  std::string body;  // at most kHttpReplyBytesMax; more is an error
};

namespace http {
class Request;

// Carries out what was prepared. `attempt` begins its errors: "cannot get http://...".
// Any status is a reply; errors are those of the transport (Code::unreachable) and of an answer
// that is too large (refused). Internal to lib/http.
Result<HttpReply> exchange(Request& request, Duration timeout, const std::string& attempt);
}  // namespace http

}  // namespace rt

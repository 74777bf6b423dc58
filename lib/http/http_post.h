// POSTs one body after the other over one kept connection. Blocking; one thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/http_options.h"

namespace rt {

struct HttpReply {
  long status = 0;
  std::string body;  // at most kHttpReplyBytesMax; more is an error
};

// An answer to a publish is a line or two.
inline constexpr std::size_t kHttpReplyBytesMax = 1u << 20;

class HttpPost {
 public:
  // timeout: for one whole exchange.
  HttpPost(std::string url, HttpOptions options, Duration timeout = std::chrono::seconds(30));
  ~HttpPost();

  // Any status is a reply; errors are those of the transport (Code::unreachable), of the options
  // (usage), and of an answer that is too large (refused).
  // `header`: one more, "Name: value", of this request alone; empty: none.
  Result<HttpReply> post(const std::string& content_type, const std::string& body,
                         const std::string& header = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rt

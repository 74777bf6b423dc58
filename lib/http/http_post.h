// POSTs one body after the other over one kept connection. Blocking; one thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/http_options.h"
#include "http/http_reply.h"

namespace rt {

class HttpPost {
 public:
  // timeout: for one whole exchange.
  HttpPost(std::string url, HttpOptions options, Duration timeout = std::chrono::seconds(30));
  ~HttpPost();

  // Any status is a reply; errors as those of http::exchange(), and of the options (Code::usage).
  // `header`: one more, "Name: value", of this request alone; empty: none.
  Result<HttpReply> post(const std::string& content_type, const std::string& body,
                         const std::string& header = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rt

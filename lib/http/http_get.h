// GETs one page again and again over one kept connection. Blocking; one thread.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "http/http_options.h"
#include "http/http_reply.h"

namespace rt {

class HttpGet {
 public:
  // timeout: for one whole exchange.
  HttpGet(std::string url, HttpOptions options, Duration timeout);
  HttpGet(HttpGet&&) noexcept;
  ~HttpGet();

  // Any status is a reply; errors as those of http::exchange(), and of the options (Code::usage).
  Result<HttpReply> get();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rt

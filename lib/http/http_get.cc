#include "http/http_get.h"

#include <utility>

#include "http/curl_request.h"

namespace rt {

struct HttpGet::State {
  std::string url;
  HttpOptions options;
  Duration timeout;
  http::Request request;
};

HttpGet::HttpGet(std::string url, HttpOptions options, Duration timeout)
    : state_(new State{std::move(url), std::move(options), timeout, {}}) {}
HttpGet::HttpGet(HttpGet&&) noexcept = default;
HttpGet::~HttpGet() = default;

Result<HttpReply> HttpGet::get() {
  RT_CHECKED(state_->request.prepare(state_->url, state_->options, {}));
  return http::exchange(state_->request, state_->timeout,
                        "cannot get " + without_credentials(state_->url));
}

}  // namespace rt

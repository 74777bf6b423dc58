#include "http/http_post.h"

#include <curl/curl.h>

#include <string>
#include <utility>
#include <vector>

#include "http/curl_request.h"

namespace rt {

struct HttpPost::State {
  std::string url;
  HttpOptions options;
  Duration timeout;
  http::Request request;
};

HttpPost::HttpPost(std::string url, HttpOptions options, Duration timeout)
    : state_(new State{std::move(url), std::move(options), timeout, {}}) {}
HttpPost::~HttpPost() = default;

Result<HttpReply> HttpPost::post(const std::string& content_type, const std::string& body,
                                 const std::string& header) {
  http::Request& request = state_->request;
  // Without "Expect:" libcurl waits up to a second for a 100 before it sends a large body.
  std::vector<std::string> headers = {"Content-Type: " + content_type, "Expect:"};
  if (!header.empty()) headers.push_back(header);
  RT_CHECKED(request.prepare(state_->url, state_->options, headers));
  void* easy = request.handle();
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  return http::exchange(request, state_->timeout,
                        "cannot post to " + without_credentials(state_->url));
}

}  // namespace rt

#include "http/http_post.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "http/curl_request.h"

namespace rt {
namespace {

std::size_t append_reply(char* bytes, std::size_t, std::size_t size, void* into) {
  auto* body = static_cast<std::string*>(into);
  if (body->size() + size > kHttpReplyBytesMax) return 0;
  body->append(bytes, size);
  return size;
}

}  // namespace

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
  HttpReply reply;
  void* easy = request.handle();
  const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(state_->timeout);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &append_reply);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &reply.body);
  const CURLcode code = curl_easy_perform(easy);
  const std::string attempt = "cannot post to " + without_credentials(state_->url);
  if (code == CURLE_WRITE_ERROR) {
    return fail(Code::refused, fmt::format("{}: the answer is larger than {} KiB", attempt,
                                           kHttpReplyBytesMax / 1024));
  }
  if (code != CURLE_OK) return fail(request.failure(code).error.context(attempt));
  reply.status = request.status();
  request.log_answer({});
  return reply;
}

}  // namespace rt

#include "http/http_reply.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include "http/curl_request.h"

namespace rt::http {
namespace {

std::size_t append_reply(char* bytes, std::size_t, std::size_t size, void* into) {
  auto* body = static_cast<std::string*>(into);
  if (body->size() + size > kHttpReplyBytesMax) return 0;
  body->append(bytes, size);
  return size;
}

}  // namespace

Result<HttpReply> exchange(Request& request, Duration timeout, const std::string& attempt) {
  HttpReply reply;
  void* easy = request.handle();
  const auto timeout_ms = std::chrono::ceil<std::chrono::milliseconds>(timeout);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_ms.count()));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &append_reply);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &reply.body);
  const CURLcode code = curl_easy_perform(easy);
  if (code == CURLE_WRITE_ERROR) {
    return fail(Code::refused, fmt::format("{}: the answer is larger than {} KiB", attempt,
                                           kHttpReplyBytesMax / 1024));
  }
  if (code != CURLE_OK) return fail(request.failure(code).error.context(attempt));
  reply.status = request.status();
  request.log_answer({});
  return reply;
}

}  // namespace rt::http

#include "pipe/publish_to_http.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "http/http_post.h"

namespace rt {
namespace {

// What a server answers to a message that it does not take: its reason, if it is one short line.
std::string reason(const HttpReply& reply) {
  const std::size_t end = reply.body.find_first_of("\r\n");
  const std::string line = reply.body.substr(0, std::min<std::size_t>(end, 200));
  return line.empty() ? "" : ": " + line;
}

Code code_for(long status) {
  if (status == 400 || status == 413 || status == 422) return Code::usage;
  return status == 429 || status >= 500 ? Code::unreachable : Code::refused;
}

// {"id":"..."}, if the answer is that.
std::string id_in(const std::string& body) {
  const auto answer = nlohmann::json::parse(body, nullptr, false);
  if (!answer.is_object() || !answer.contains("id")) return {};
  const auto& id = answer["id"];
  return id.is_string() ? id.get<std::string>() : id.dump();
}

class HttpSink final : public PublishSink {
 public:
  HttpSink(const std::string& url, const HttpOptions& options, const PublishHints& hints,
           HttpStatusCounts* counts)
      : url_(url), hints_(hints), counts_(counts), post_(url, options) {}

  Result<PublishReceipt> send(const PublishMessage& message) override {
    std::string key;
    if (!message.idempotency_key.empty()) key = "Idempotency-Key: " + message.idempotency_key;
    Result<HttpReply> posted = post_.post("application/json", message.body, key);
    count(posted ? posted->status : 0);
    if (!posted) {
      Error error = posted.error();
      if (error.code == Code::unreachable && error.hint.empty()) error.hint = hints_.unreachable;
      return fail(std::move(error));
    }
    const HttpReply& reply = *posted;
    if (reply.status >= 200 && reply.status < 300) return PublishReceipt{id_in(reply.body), {}};
    const bool no_surface = reply.status == 404 || reply.status == 405;
    return fail(code_for(reply.status),
                fmt::format("cannot publish to {}: {}{}", url_, reply.status, reason(reply)),
                no_surface ? hints_.not_found : "");
  }

 private:
  void count(long status) {
    if (counts_ == nullptr) return;
    const auto level = static_cast<std::size_t>(status / 100);
    ++(*counts_)[level < counts_->size() ? level : 0];
  }

  std::string url_;
  PublishHints hints_;
  HttpStatusCounts* counts_;
  HttpPost post_;
};

}  // namespace

std::unique_ptr<PublishSink> publish_to_http(const std::string& url, const HttpOptions& options,
                                             const PublishHints& hints, HttpStatusCounts* counts) {
  return std::make_unique<HttpSink>(url, options, hints, counts);
}

}  // namespace rt

#include "server/jobs_endpoint.h"

#include "proto/json_compact.h"
#include "server/refusals.h"
#include "server/topic_wire.h"

namespace rt::server {
namespace {

Answer refusal(int status, const char* error, std::string headers = {}) {
  return {.status = status,
          .body = std::string("{\"error\":\"") + error + "\"}\n",
          .content_type = "application/json",
          .headers = std::move(headers)};
}

// What follows "/jobs/" or "/api/jobs/"; empty: not such a path.
std::string_view below_jobs(std::string_view path) {
  for (const std::string_view base : {"/jobs/", "/api/jobs/"}) {
    if (path.starts_with(base)) return path.substr(base.size());
  }
  return {};
}

Outcome stream(const http1::RequestHead& head, std::string_view id) {
  if (head.has_body()) return refusal(400, "a stream request has no body");
  Opening opening;
  opening.name = id;
  opening.last_event_id = head.header("Last-Event-ID");
  opening.target = hash_name(Role::job, id);
  opening.keys = {opening.target.low};
  opening.headers =
      "Content-Type: text/event-stream\r\n"
      "Cache-Control: no-cache\r\n"
      "X-Accel-Buffering: no\r\n";
  return opening;
}

}  // namespace

JobsEndpoint::JobsEndpoint(JobsHttp options) : options_(std::move(options)) {
  rules_.keepalive_every = options_.keepalive_every;
  rules_.keepalive = [](WallTime) { return std::string(": keepalive\n\n"); };
  rules_.goodbye = ": server shutting down\n\n";
}

Answer JobsEndpoint::draining() const {
  return refusal(503, "server draining");
}

Outcome JobsEndpoint::on_request(const http1::RequestHead& head) const {
  constexpr std::string_view kStream = "/stream";
  const std::string_view below = below_jobs(head.path);
  if (below.empty()) return NotMine{};
  const bool is_stream = below.ends_with(kStream) && below.size() > kStream.size();
  if (head.method == "OPTIONS") {
    return Answer{.status = 204,
                  .headers =
                      "Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n"
                      "Access-Control-Allow-Headers: Authorization, Content-Type\r\n"};
  }
  const bool is_get = head.method == "GET" && is_stream;
  if (!is_get && head.method != "POST") {
    return refusal(405, "method not allowed",
                   is_stream ? "Allow: GET, OPTIONS\r\n" : "Allow: POST, OPTIONS\r\n");
  }
  // Never from the query: addresses end up in logs.
  if (!options_.token.empty() && !bears_token(head.header("Authorization"), options_.token)) {
    return refusal(401, "unauthorized", std::string(kBearerChallenge));
  }
  if (is_get) return stream(head, below.substr(0, below.size() - kStream.size()));
  return BodyWanted{std::string(below)};
}

Outcome JobsEndpoint::on_body(const std::string& queue, std::string body) const {
  Question question;
  question.name = queue;
  if (!append_compact_json(question.text, body)) return refusal(400, "the body is no JSON");
  return question;
}

}  // namespace rt::server

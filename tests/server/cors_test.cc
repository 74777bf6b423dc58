// Who of other origins may read answers: the list (pure), and what the server says by it.
#include "server/cors.h"

#include <catch2/catch.hpp>

#include "server/http2_connection.h"
#include "server/http_client.h"
#include "server/topics_server.h"

using namespace rt;
using namespace rt::server;
using namespace rt::test;

namespace {

std::shared_ptr<const CorsPolicy> policy(const std::vector<std::string>& origins) {
  auto parsed = CorsPolicy::parse(origins);
  if (!parsed) FAIL(parsed.error().text);
  return std::make_shared<const CorsPolicy>(std::move(*parsed));
}

std::unique_ptr<Server> start(const SystemClock& clock, const std::vector<std::string>& origins) {
  ServerOptions options;
  options.connections_max = 2'000;
  if (!origins.empty()) options.cors = policy(origins);
  return start_server(with_topics(std::move(options)), clock);
}

std::string ask(const Server& server, const std::string& start, const std::string& headers) {
  HttpClient client(server.address());
  client.send(start + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers + "\r\n");
  return client.until_closed();
}

// The head of a stream, which does not end by itself.
std::string stream_head_of(const Server& server, const std::string& target,
                           const std::string& headers) {
  HttpClient client(server.address());
  client.get(target, headers);
  const std::string text = client.until("\r\n\r\n");
  return text.substr(0, text.find("\r\n\r\n") + 2);
}

bool has(const std::string& text, std::string_view line) {
  return text.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
}

const std::string kOrigin = "Origin: https://app.example\r\n";
const std::string kOther = "Origin: https://evil.example\r\n";
const std::string kAllowed = "Access-Control-Allow-Origin: https://app.example";
const std::string kPreflight =
    "Access-Control-Request-Method: POST\r\n"
    "Access-Control-Request-Headers: authorization, last-event-id\r\n";
const std::vector<std::string> kTargets = {"/v1/runs/stream", "/topics/t/events"};

}  // namespace

TEST_CASE("cors: an origin is what a browser sends, or the list is refused", "[server][cors]") {
  for (const char* const good :
       {"*", "https://app.example", "http://localhost:3000", "http://[::1]:8080",
        "capacitor://localhost", "chrome-extension://abcdef", "https://app.example:8443"}) {
    INFO(good);
    CHECK(CorsPolicy::parse({good}).has_value());
  }
  for (const char* const bad :
       {"", "app.example", "https://", "https://app.example/", "https://app.example/path",
        "https://*.example", "https://App.example", "https://app.example:443",
        "http://app.example:80", "HTTPS://app.example", "null", "https://a b",
        "https://u@a.example", "https://a\r\nX: y"}) {
    INFO(bad);
    const auto parsed = CorsPolicy::parse({bad});
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == Code::usage);
  }
  CHECK_FALSE(CorsPolicy::parse(std::vector<std::string>(101, "https://a.example")).has_value());
}

TEST_CASE("cors: a listed origin may read every answer, and send credentials", "[server][cors]") {
  SystemClock clock;
  const auto server = start(clock, {"https://first.example", "https://app.example"});
  for (const char* const line : {"GET /health", "GET /metrics", "GET /nothing", "TRACE /health",
                                 "POST /v1/runs", "GET /topics/BAD/events"}) {
    INFO(line);
    const std::string answer = ask(*server, line, kOrigin);
    CHECK(has(answer, kAllowed));
    CHECK(has(answer, "Access-Control-Allow-Credentials: true"));
    CHECK(has(answer, "Vary: Origin"));
  }
  for (const std::string& target : kTargets) {
    INFO(target);
    const std::string head = stream_head_of(*server, target, kOrigin);
    CHECK(has(head, kAllowed));
    CHECK(head.find("Allow-Origin: *") == std::string::npos);
    CHECK(has(head, "Access-Control-Allow-Credentials: true"));
  }
}

TEST_CASE("cors: an origin that is not listed reads nothing, and caches are told",
          "[server][cors]") {
  SystemClock clock;
  const auto server = start(clock, {"https://app.example"});
  for (const std::string& headers :
       {kOther, std::string("Origin: null\r\n"), std::string("Origin: https://app.example:444\r\n"),
        std::string("Origin: https://app.example.evil.example\r\n"),
        std::string("Origin: http://app.example\r\n"), kOrigin + kOther, std::string()}) {
    INFO(headers);
    const std::string answer = ask(*server, "GET /health", headers);
    CHECK(answer.find("Access-Control") == std::string::npos);
    CHECK(has(answer, "Vary: Origin"));
    for (const std::string& target : kTargets) {
      const std::string head = stream_head_of(*server, target, headers);
      CHECK(head.find("Allow-Origin") == std::string::npos);
      CHECK(has(head, "Vary: Origin"));
    }
  }
}

TEST_CASE("cors: * allows any origin, without credentials; one named beside it has them",
          "[server][cors]") {
  SystemClock clock;
  const auto any = start(clock, {"*"});
  const std::string answer = ask(*any, "GET /health", kOther);
  CHECK(has(answer, "Access-Control-Allow-Origin: *"));
  CHECK(answer.find("Credentials") == std::string::npos);
  CHECK(answer.find("Vary") == std::string::npos);
  const auto both = start(clock, {"*", "https://app.example"});
  CHECK(has(ask(*both, "GET /health", kOther), "Access-Control-Allow-Origin: *"));
  CHECK(has(ask(*both, "GET /health", kOther), "Vary: Origin"));
  const std::string named = ask(*both, "GET /health", kOrigin);
  CHECK(has(named, kAllowed));
  CHECK(has(named, "Access-Control-Allow-Credentials: true"));
}

TEST_CASE("cors: a preflight is told methods and headers, on every path", "[server][cors]") {
  SystemClock clock;
  const auto server = start(clock, {"https://app.example"});
  for (const char* const path : {"/v1/runs/stream", "/v1/runs", "/topics/t/events", "/health"}) {
    INFO(path);
    const std::string line = std::string("OPTIONS ") + path;
    const std::string answer = ask(*server, line, kOrigin + kPreflight);
    CHECK(answer.find("HTTP/1.1 204 No Content\r\n") == 0);
    CHECK(has(answer, kAllowed));
    CHECK(has(answer, "Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS"));
    CHECK(has(answer,
              "Access-Control-Allow-Headers: Authorization, Cache-Control, Content-Type, "
              "Last-Event-ID"));
    CHECK(has(answer, "Access-Control-Max-Age: 600"));
    CHECK(answer.find("Content-Length") == std::string::npos);
    const std::string refused = ask(*server, line, kOther + kPreflight);
    CHECK(refused.find("HTTP/1.1 204 No Content\r\n") == 0);
    CHECK(refused.find("Access-Control") == std::string::npos);
  }
}

TEST_CASE("cors: the decision is of one request, also on a connection that is kept",
          "[server][cors]") {
  SystemClock clock;
  const auto server = start(clock, {"https://app.example"});
  HttpClient client(server->address());
  client.get("/health", kOrigin);
  client.get("/health", kOther);
  client.send("nonsense\r\n\r\n");
  const std::string all = client.until_closed();
  const std::size_t second = all.find("HTTP/1.1 200", 1);
  REQUIRE(second != std::string::npos);
  CHECK(all.find(kAllowed) < second);
  CHECK(all.find("Access-Control", second) == std::string::npos);
  CHECK(all.find("HTTP/1.1 400", second) != std::string::npos);
}

TEST_CASE("cors: over HTTP/2 it is the same", "[server][cors][http2]") {
  SystemClock clock;
  const auto server = start(clock, {"https://app.example"});
  Http2Connection connection(server->address());
  const Http2Client::Fields origin = {{"origin", "https://app.example"}};
  const auto health = connection.get("/health", origin);
  const auto stream = connection.get("/v1/runs/stream", origin);
  const auto other = connection.get("/v1/runs/stream", {{"origin", "https://evil.example"}});
  REQUIRE(connection.until([&] { return connection.client.answer(health).closed; }));
  REQUIRE(connection.until_body(stream, ": caught up"));
  REQUIRE(connection.until_body(other, ": caught up"));
  for (const auto id : {health, stream}) {
    const auto& headers = connection.client.answer(id).headers;
    CHECK(headers.at("access-control-allow-origin") == "https://app.example");
    CHECK(headers.at("access-control-allow-credentials") == "true");
  }
  CHECK(connection.client.answer(other).headers.count("access-control-allow-origin") == 0);
}

TEST_CASE("cors: without a list each surface says what its reference says", "[server][cors]") {
  SystemClock clock;
  const auto server = start(clock, {});
  CHECK(has(stream_head_of(*server, "/v1/runs/stream", kOther), "Access-Control-Allow-Origin: *"));
  CHECK(stream_head_of(*server, "/topics/t/events", kOther).find("Allow-Origin") ==
        std::string::npos);
  const std::string topics = ask(*server, "OPTIONS /topics/t/events", kOther + kPreflight);
  CHECK(has(topics, "Access-Control-Allow-Methods: GET, POST, OPTIONS"));
  CHECK(topics.find("Allow-Origin") == std::string::npos);
  CHECK(ask(*server, "GET /health", kOther).find("Access-Control") == std::string::npos);
}

// Who may listen to events and publish them: over HTTP, with tokens as an identity provider signs
// them, and with all that somebody else would try.
#include <catch2/catch.hpp>

#include "integration/access_tokens.h"
#include "integration/events_server.h"
#include "server/http2_connection.h"

namespace rt::test {
namespace {

using namespace std::chrono_literals;

const std::string kUnresolved = "failed to resolve principal: ";

// The stream's first bytes come: whoever bears the token is in. Then an event of its scope does.
void check_is_let_in(const EventsServer& server, const PrivateRedis& redis,
                     const std::string& token) {
  HttpClient client(server.address());
  client.get("/events", bearer(token));
  client.until(": retry 3000\n\n");
  REQUIRE(status_of(client.received()) == "HTTP/1.1 200 OK");
  redis.command({"PUBLISH", "org:1:a", "not for it"});
  const std::string posted =
      server.post(R"({"channel":"gym:1:a","event_type":"x","data":1})", bearer(token));
  CHECK(status_of(posted) == "HTTP/1.1 202 Accepted");
  client.until("data: 1\n\n");
  CHECK(body_of(client.received()) == ": retry 3000\n\nevent: x\ndata: 1\n\n");
}

TEST_CASE("events access: HS256, RS256 and ES256 are let in with a key of their kind",
          "[events_access]") {
  const PrivateRedis redis;
  struct Row {
    std::string key;
    jwt_alg_t algorithm;
    std::string signed_with;
  };
  const KeyPair rsa = rsa_pair();
  const KeyPair p256 = ec_pair();
  for (const Row& row : {Row{kTokenSecret + "\n", JWT_ALG_HS256, kTokenSecret},
                         Row{rsa.public_pem, JWT_ALG_RS256, rsa.private_pem},
                         Row{p256.public_pem, JWT_ALG_ES256, p256.private_pem}}) {
    INFO(jwt_alg_str(row.algorithm));
    const KeyFile key(row.key);
    const EventsServer server({"--redis", redis.url(), "--jwt-key-file", key.path});
    check_is_let_in(server, redis, signed_token(row.algorithm, row.signed_with, claims("gym", 1)));
    // Signed as if the public key were a secret.
    const std::string confused = signed_token(JWT_ALG_HS256, row.key, claims("gym", 1));
    CHECK(status_of(server.ask("GET /events", bearer(confused))) == "HTTP/1.1 401 Unauthorized");
  }
}

TEST_CASE("events access: every wrong token is refused, for streams and for publishing",
          "[events_access]") {
  const PrivateRedis redis;
  const KeyFile key(kTokenSecret);
  const EventsServer server({"--redis", redis.url(), "--jwt-key-file", key.path});
  const std::string good = hs256(claims("gym", 1));
  struct Row {
    std::string headers, reason;
  };
  const std::string exp = R"("exp":)" + in_seconds(60s);
  const std::vector<Row> rows = {
      {"", "a token is needed: Authorization: Bearer ..."},
      {"Authorization: Basic YTpi\r\n", "the Authorization header holds no bearer token"},
      {"Authorization: Bearer \r\n", "the Authorization header holds no bearer token"},
      {bearer("x"), "the token is malformed"},
      {bearer(good) + bearer(good), "there is more than one Authorization header"},
      {bearer(signed_token(JWT_ALG_NONE, "", claims("gym", 1))),
       "the token is not signed with HS256"},
      {bearer(hs256(claims("gym", 1), "another secret of thirty-two bytes or more")),
       "the token's signature is wrong"},
      {bearer(good.substr(0, good.size() - 2)), "the token's signature is wrong"},
      {bearer(signed_token(JWT_ALG_HS512, kTokenSecret, claims("gym", 1))),
       "the token is not signed with HS256"},
      {bearer(signed_token(JWT_ALG_RS256, rsa_pair().private_pem, claims("gym", 1))),
       "the token is not signed with HS256"},
      {bearer(hs256(claims("gym", 1, -1s))), "the token has expired"},
      {bearer(hs256(R"({"scope":"gym","scope_id":1,"nbf":)" + in_seconds(1h) + "," + exp + "}")),
       "the token is not valid yet"},
      {bearer(hs256(R"({"scope":"gym","scope_id":1,"iat":)" + in_seconds(1h) + "," + exp + "}")),
       "the token was issued in the future"},
      {bearer(hs256(R"({"scope":"gym","scope_id":1})")), "the token has no claim \"exp\""},
      {bearer(hs256(R"({"scope_id":1,)" + exp + "}")), "the token has no claim \"scope\""},
      {bearer(hs256(R"({"scope":"gym",)" + exp + "}")), "the token has no claim \"scope_id\""},
      {bearer(hs256(R"({"sub":"ada",)" + exp + "}")), "the token has no claim \"scope\""},
      {bearer(hs256(R"({"scope":"gym","scope_id":"1",)" + exp + "}")),
       "the token's claim \"scope_id\" is no integer"},
      {bearer(hs256(claims("*", 1))),
       "the token's claim \"scope\" is no word of letters, digits, _ and -"},
      {bearer(hs256(claims("gy[m]", 1))),
       "the token's claim \"scope\" is no word of letters, digits, _ and -"},
      {bearer(std::string(5'000, 'a')), "the token is too long"},
  };
  for (const Row& row : rows) {
    INFO(row.reason);
    for (const char* method : {"GET", "POST"}) {
      const std::string answer = server.ask(std::string(method) + " /events", row.headers);
      CHECK(status_of(answer) == "HTTP/1.1 401 Unauthorized");
      CHECK(answer.find("WWW-Authenticate: Bearer\r\n") != std::string::npos);
      CHECK(body_of(answer) == kUnresolved + row.reason + "\n");
    }
  }
  CHECK(redis.command({"PUBSUB", "NUMPAT"}).integer == 0);
  CHECK(server.events_health()["published"] == 0);
  check_is_let_in(server, redis, good);
}

TEST_CASE("events access: with a key the query decides nothing", "[events_access]") {
  const PrivateRedis redis;
  const KeyFile key(kTokenSecret);
  const EventsServer server({"--redis", redis.url(), "--jwt-key-file", key.path});
  const std::string token = hs256(claims("gym", 1));
  CHECK(status_of(server.ask("GET /events?scope=gym&scope_id=1")) == "HTTP/1.1 401 Unauthorized");
  CHECK(status_of(server.ask("POST /events?scope=gym&scope_id=1", {},
                             R"({"channel":"gym:1:a","event_type":"x"})")) ==
        "HTTP/1.1 401 Unauthorized");
  CHECK(status_of(server.ask("GET /events?access_token=" + token)) == "HTTP/1.1 401 Unauthorized");
  const std::string other = server.ask("GET /events?scope=org&scope_id=1", bearer(token));
  CHECK(body_of(other) == kUnresolved + "the token is not for org:1\n");
  // What it is for, it may be asked for: clients that work with and without keys do.
  HttpClient same(server.address());
  same.get("/events?scope=gym&scope_id=1", bearer(token));
  CHECK(status_of(same.until(": retry")) == "HTTP/1.1 200 OK");
}

TEST_CASE("events access: nobody publishes outside of the token's scope", "[events_access]") {
  const PrivateRedis redis;
  const KeyFile key(kTokenSecret);
  const EventsServer server({"--redis", redis.url(), "--jwt-key-file", key.path});
  const std::string token = bearer(hs256(claims("gym", 1)));
  for (const char* channel : {"gym:2:a", "org:1:a", "gym:12:a", "gym:01:a"}) {
    INFO(channel);
    const std::string answer = server.post(
        R"({"channel":")" + std::string(channel) + R"(","event_type":"x","data":1})", token);
    CHECK(status_of(answer) == "HTTP/1.1 403 Forbidden");
    CHECK(body_of(answer) == "channel " + std::string(channel) + " is not in scope gym:1\n");
  }
}

TEST_CASE("events access: without a key only this machine may name its scope", "[events_access]") {
  const PrivateRedis redis;
  const EventsServer server({"--redis", redis.url()}, "0.0.0.0:0");
  for (const char* line : {"GET /events?scope=gym&scope_id=1", "POST /events?scope=gym&scope_id=1",
                           "POST /events", "GET /events"}) {
    INFO(line);
    const std::string answer =
        server.ask(line, {}, line[0] == 'P' ? R"({"channel":"gym:1:a","event_type":"x"})" : "");
    CHECK(status_of(answer) == "HTTP/1.1 401 Unauthorized");
    CHECK(body_of(answer) ==
          kUnresolved +
              "the server has no key (--jwt-key-file) and does not listen on loopback alone\n");
  }
  CHECK(server.events_health()["published"] == 0);
}

TEST_CASE("events access: a stream of events or realtime ends with its token, and says so",
          "[events_access]") {
  const PrivateRedis redis;
  const KeyFile key(kTokenSecret);
  const EventsServer server({"--redis", redis.url(), "--jwt-key-file", key.path}, "127.0.0.1:0",
                            "events,realtime");
  const std::string short_token = hs256(claims("gym", 1, 2s));
  const WallTime ends = SystemClock().wall() + 1s;  // at the earliest: `exp` is a whole second
  HttpClient lasting(server.address());
  lasting.get("/events", bearer(hs256(claims("gym", 1))));
  HttpClient events(server.address());
  events.get("/events", bearer(short_token));
  HttpClient realtime(server.address());
  realtime.get("/realtime", bearer(short_token));
  Http2Connection http2(server.address());
  const auto stream = http2.get("/events", {{"authorization", "Bearer " + short_token}});
  const std::string goodbye = ": closed: the token has expired\n\n";
  CHECK(events.until_closed().ends_with(goodbye));
  CHECK(SystemClock().wall() >= ends);
  CHECK(realtime.until_closed().ends_with(goodbye));
  CHECK(realtime.received().find("\"connected\"") != std::string::npos);
  REQUIRE(http2.until([&] { return http2.client.answer(stream).closed; }));
  CHECK(http2.client.answer(stream).body.ends_with(goodbye));
  CHECK(status_of(server.ask("GET /events", bearer(short_token))) == "HTTP/1.1 401 Unauthorized");
  CHECK(server.health()["totals"]["expired_disconnects"] == 3);
  const std::string posted = server.post(R"({"channel":"gym:1:a","event_type":"x","data":1})",
                                         bearer(hs256(claims("gym", 1))));
  CHECK(status_of(posted) == "HTTP/1.1 202 Accepted");
  CHECK(lasting.until("data: 1\n\n").ends_with("data: 1\n\n"));
}

TEST_CASE("events access: a key that is none, or both, is refused before anything starts",
          "[events_access]") {
  for (const std::string& text : {std::string(), rsa_pair().private_pem, rsa_pair(1024).public_pem,
                                  ed25519_pair().public_pem}) {
    const KeyFile key(text);
    const Outcome outcome = run({"rtctl", "serve", "--listen", "127.0.0.1:0", "--surfaces",
                                 "events", "--jwt-key-file", key.path});
    CHECK(outcome.status == 2);
    CHECK(outcome.err.find("cannot use the token key") != std::string::npos);
  }
  const PrivateRedis redis;
  const KeyFile weak("secret");
  EventsServer server({"--redis", redis.url(), "--jwt-key-file", weak.path});
  CHECK(server.tool().error_text().find("the token key can be guessed") != std::string::npos);
  CHECK(server.tool().error_text().find("secret") == std::string::npos);
  check_is_let_in(server, redis, hs256(claims("gym", 1), "secret"));
}

}  // namespace
}  // namespace rt::test

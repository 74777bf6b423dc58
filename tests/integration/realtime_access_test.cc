// Who may listen on realtime and who may post, with signed tokens of users and with the token of
// those who publish.
#include <catch2/catch.hpp>

#include "integration/access_tokens.h"
#include "integration/events_server.h"

namespace rt::test {
namespace {

using namespace std::chrono_literals;

const std::string kEvent = R"({"type":"t","data":1,"userId":"ada"})";

std::string post(const EventsServer& server, const std::string& headers) {
  return server.ask("POST /realtime", headers, kEvent);
}

TEST_CASE("realtime access: every wrong token is refused, for streams and for posts",
          "[realtime_access]") {
  const KeyFile key(kTokenSecret);
  const EventsServer server({"--jwt-key-file", key.path}, "127.0.0.1:0", "realtime");
  const std::string good = hs256(claims("gym", 1));
  struct Row {
    std::string headers, reason;
  };
  const std::string exp = R"("exp":)" + in_seconds(60s);
  const std::vector<Row> rows = {
      {"", "a token is needed: Authorization: Bearer ..."},
      {bearer(good) + bearer(good), "there is more than one Authorization header"},
      {bearer(signed_token(JWT_ALG_NONE, "", claims("gym", 1))),
       "the token is not signed with HS256"},
      {bearer(hs256(claims("gym", 1), "another secret of thirty-two bytes or more")),
       "the token's signature is wrong"},
      {bearer(hs256(claims("gym", 1, -1s))), "the token has expired"},
      {bearer(hs256(R"({"sub":"ada","nbf":)" + in_seconds(1h) + "," + exp + "}")),
       "the token is not valid yet"},
      {bearer(hs256(R"({"sub":"ada"})")), "the token has no claim \"exp\""},
      // Good for events, and no user's.
      {bearer(hs256(R"({"scope":"gym","scope_id":1,)" + exp + "}")),
       "the token has no claim \"sub\""},
  };
  for (const Row& row : rows) {
    INFO(row.reason);
    for (const std::string& answer :
         {server.ask("GET /realtime?user=ada", row.headers), post(server, row.headers)}) {
      CHECK(status_of(answer) == "HTTP/1.1 401 Unauthorized");
      CHECK(answer.find("WWW-Authenticate: Bearer\r\n") != std::string::npos);
      CHECK(nlohmann::json::parse(body_of(answer))["error"] == row.reason);
    }
  }
  HttpClient ada(server.address());
  ada.get("/realtime", bearer(good));
  ada.until("\"connected\"");
  CHECK(status_of(post(server, bearer(good))) == "HTTP/1.1 200 OK");
  CHECK(ada.until("\"userId\":\"ada\"").find("\"data\":1,") != std::string::npos);
}

TEST_CASE("realtime access: with a publish token only who bears it posts, users listen",
          "[realtime_access]") {
  const KeyFile key(kTokenSecret);
  const KeyFile publish("of-the-back-end\n");
  const EventsServer server({"--jwt-key-file", key.path, "--publish-token-file", publish.path},
                            "127.0.0.1:0", "realtime");
  CHECK(server.tool().error_text().find("msg=realtime publish=token listen=users") !=
        std::string::npos);
  const std::string user = bearer(hs256(claims("gym", 1)));
  HttpClient ada(server.address());
  ada.get("/realtime", user);
  ada.until("\"connected\"");
  CHECK(status_of(post(server, user)) == "HTTP/1.1 403 Forbidden");
  CHECK(status_of(post(server, "")) == "HTTP/1.1 401 Unauthorized");
  CHECK(status_of(server.ask("GET /realtime", bearer("of-the-back-end"))) ==
        "HTTP/1.1 401 Unauthorized");
  const Outcome sent = run({"rtctl", "publish", "realtime", "t", "1", "--user", "ada", "--url",
                            server.url(), "--token-file", publish.path});
  INFO(sent.err);
  CHECK(sent.status == 0);
  const std::string& heard = ada.until("\"userId\":\"ada\"");
  CHECK(heard.find("\"data\":1,") != std::string::npos);
  CHECK(heard.find("\"data\":1,") == heard.rfind("\"data\":1,"));  // that one alone
}

TEST_CASE("realtime access: an open server that others reach says at the start who may post",
          "[realtime_access]") {
  const EventsServer open({}, "0.0.0.0:0", "realtime");
  CHECK(open.tool().error_text().find(
            "level=warning msg=realtime publish=anybody listen=anybody") != std::string::npos);
}

}  // namespace
}  // namespace rt::test

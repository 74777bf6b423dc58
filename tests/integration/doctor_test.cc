// rtctl doctor as a process: our own server on a real PostgreSQL and Redis, servers that do wrong,
// a database that cannot stream.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "integration/private_nginx.h"
#include "integration/private_postgres.h"
#include "integration/private_redis.h"
#include "integration/running_tool.h"
#include "integration/scripted_server.h"

using namespace rt::test;

namespace {

using Json = nlohmann::json;

// Name of a check to its finding.
Json examine(std::vector<std::string> words, int status) {
  words.insert(words.begin(), {"rtctl", "doctor"});
  words.push_back("--json");
  const Outcome outcome = run(words);
  INFO(outcome.err << outcome.out);
  REQUIRE(outcome.status == status);
  Json checks;
  const Json answer = Json::parse(outcome.out);
  for (const Json& check : answer["checks"]) {
    checks[check["name"].get<std::string>()] = check;
    const bool wrong = check["result"] == "fail" || check["result"] == "warn";
    CHECK(check.contains("fix") == wrong);
  }
  return checks;
}

std::string result(const Json& checks, const char* name) {
  REQUIRE(checks.contains(name));
  return checks[name]["result"].get<std::string>() + ": " + checks[name]["text"].get<std::string>();
}

constexpr const char* kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    "Cache-Control: no-cache, no-transform\r\n";

TEST_CASE("doctor: our own server on a sound database passes every check", "[doctor]") {
  PrivatePostgres postgres;
  PrivateRedis redis;
  REQUIRE(run({"rtctl", "setup", "--pg", postgres.dsn()}).status == 0);
  postgres.exec("INSERT INTO task_run (id) VALUES ('r1')");
  RunningTool server(
      {"rtctl", "serve", "--listen", "127.0.0.1:0", "--pg", postgres.dsn(), "--keepalive", "1s"});
  const std::string marker = "rtctl: serving ";
  REQUIRE(server.wait_for("streaming from"));
  const std::size_t at = server.error_text().find(marker) + marker.size();
  const std::string url = server.error_text().substr(at, server.error_text().find(' ', at) - at);
  const Json checks =
      examine({"runs", "--url", url, "--pg", postgres.dsn(), "--redis", redis.url()}, 0);
  for (const char* name :
       {"resolve",      "connect",    "http-version",   "status",        "content-type",
        "first-byte",   "heartbeat",  "buffering",      "resume",        "gzip",
        "caching",      "pg-connect", "pg-version",     "wal-level",     "free-slots",
        "free-senders", "slots",      "sender-timeout", "publications",  "privilege",
        "notify-queue", "pg-clock",   "redis-connect",  "redis-version", "redis-output",
        "redis-memory"}) {
    CHECK(result(checks, name).rfind("ok: ", 0) == 0);
  }
  CHECK(result(checks, "slots").find("trigger_realtime_slot") != std::string::npos);
  CHECK(result(checks, "heartbeat").find("longest silence 1") != std::string::npos);
}

TEST_CASE("doctor: a stream that is held back is found", "[doctor]") {
  // Heartbeats are collected and handed out together, a little rarer than each second.
  ScriptedServer server([](Peer& peer, std::size_t) {
    peer.read_request();
    peer.send(std::string(kHead) + "Via: 1.1 cache\r\n\r\n: hello\n\n");
    for (int i = 0; i < 10; ++i) {
      ::poll(nullptr, 0, 1200);
      if (!peer.send(": beat\n\n: beat\n\n: beat\n\n")) return;
    }
  });
  const Json checks = examine({server.url(), "--only", "buffering,heartbeat"}, 1);
  CHECK(result(checks, "buffering") ==
        "fail: 3 heartbeats arrived at once: somebody holds them back (through 1.1 cache)");
  CHECK(result(checks, "heartbeat").rfind("ok", 0) == 0);
}

// A server that says hello, and beats several times a second.
void beat(Peer& peer) {
  peer.read_request();
  peer.send(std::string(kHead) + "\r\n: hello\n\n");
  while (peer.send(": beat\n\n")) ::poll(nullptr, 0, 300);
}

TEST_CASE("doctor: a real proxy that buffers is found, one that does not is not", "[doctor]") {
  ScriptedServer server([](Peer& peer, std::size_t) { beat(peer); });
  const PrivateNginx nginx(server.port());
  const Json held = examine({nginx.buffering_url(), "--only", "http", "--patience", "3s"}, 1);
  CHECK(result(held, "status").rfind("fail: no answer within 3", 0) == 0);
  CHECK(held["status"]["fix"].get<std::string>().find("proxy_buffering off") != std::string::npos);

  const Json sound = examine({nginx.tls_url(), "--only", "http", "--cacert", nginx.ca_file()}, 0);
  for (const char* name : {"connect", "http-version", "status", "first-byte", "heartbeat",
                           "buffering", "gzip", "http-clock"}) {
    CHECK(result(sound, name).rfind("ok: ", 0) == 0);
  }
  CHECK(result(sound, "http-version") == "ok: HTTP/2");
  // The certificate of the test lives two days.
  CHECK(result(sound, "tls").rfind("warn: TLSv1.", 0) == 0);
  CHECK(result(sound, "tls").find("1 days left") != std::string::npos);
  const Json zipped = examine({nginx.gzip_url(), "--only", "gzip"}, 0);
  CHECK(result(zipped, "gzip").find("first line after") != std::string::npos);
  const Json unknown = examine({nginx.tls_url(), "--only", "tls"}, 1);
  CHECK(unknown["tls"]["fix"].get<std::string>().find("--cacert FILE") != std::string::npos);
}

TEST_CASE("doctor: a server that starts over after Last-Event-ID is found", "[doctor]") {
  ScriptedServer server([](Peer& peer, std::size_t) {
    peer.read_request();
    peer.send(std::string(kHead) + "\r\nid: 1\ndata: a\n\nid: 2\ndata: b\n\n");
    peer.hold();
  });
  const Json checks = examine({server.url(), "--only", "resume", "--patience", "2s"}, 1);
  CHECK(result(checks, "resume") == "fail: asked to go on after 2, the server sent 1 again");
}

TEST_CASE("doctor: silence, a wrong type and a compressor that keeps its bytes are found",
          "[doctor]") {
  ScriptedServer silent([](Peer& peer, std::size_t) {
    peer.read_request();
    peer.send(std::string(kHead) + "\r\n");
    peer.hold();
  });
  const Json quiet = examine({silent.url(), "--only", "8,first-byte", "--patience", "1500ms"}, 0);
  CHECK(result(quiet, "heartbeat").rfind("warn: no sign of life for ", 0) == 0);
  CHECK(result(quiet, "first-byte").rfind("warn", 0) == 0);

  ScriptedServer page([](Peer& peer, std::size_t) {
    peer.read_request();
    peer.answer("200 OK", "Content-Type: text/html\r\n", "<html>");
  });
  const Json html = examine({page.url(), "--only", "http"}, 1);
  CHECK(result(html, "content-type") == "fail: text/html is no event stream");
  CHECK(result(html, "heartbeat").rfind("skipped", 0) == 0);

  ScriptedServer zipped([](Peer& peer, std::size_t) {
    const bool gzip = peer.read_request().find("Accept-Encoding: gzip") != std::string::npos;
    peer.send(std::string(kHead) + (gzip ? "Content-Encoding: gzip\r\n\r\n" : "\r\n: hello\n\n"));
    peer.hold();
  });
  const Json held = examine({zipped.url(), "--only", "gzip", "--patience", "1s"}, 1);
  CHECK(result(held, "gzip").rfind("fail: compressed, nothing arrives in 1", 0) == 0);
}

TEST_CASE("doctor: a status that clients give up on is found, and no server at all", "[doctor]") {
  ScriptedServer server([](Peer& peer, std::size_t) {
    peer.read_request();
    peer.answer("401 Unauthorized", "", "");
  });
  const Json refused = examine({server.url(), "--only", "http"}, 1);
  CHECK(result(refused, "status") == "fail: the answer is 401, not 200");
  const Json nobody = examine({"http://127.0.0.1:1/", "--only", "http"}, 1);
  CHECK(result(nobody, "connect").rfind("fail: Connection refused", 0) == 0);
  const Json unknown = examine({"http://no-such-host.invalid/", "--only", "http"}, 1);
  CHECK(result(unknown, "resolve").rfind("fail", 0) == 0);
}

TEST_CASE("doctor: a database that cannot stream is told what to change", "[doctor]") {
  PrivatePostgres postgres(PrivatePostgres::Settings{{"wal_level", "replica"}});
  postgres.exec("CREATE ROLE plain LOGIN");
  postgres.exec("CREATE TABLE keyless (a int)");
  postgres.exec("CREATE PUBLICATION p FOR TABLE keyless");
  const Json checks = examine({"--only", "pg", "--pg", postgres.dsn("user=plain")}, 1);
  CHECK(result(checks, "wal-level") == "fail: wal_level is replica, not logical");
  CHECK(result(checks, "privilege") == "fail: role plain may not replicate");
  CHECK(result(checks, "publications").rfind("fail: public.keyless has no replica", 0) == 0);
  CHECK(result(checks, "pg-connect").rfind("ok", 0) == 0);
  // Each fix does what it says.
  postgres.exec(
      checks["privilege"]["fix"].get<std::string>().substr(std::string("as a superuser: ").size()));
  postgres.exec(checks["publications"]["fix"].get<std::string>());
  const Json better = examine({"--only", "pg", "--pg", postgres.dsn("user=plain")}, 1);
  CHECK(result(better, "privilege").rfind("ok", 0) == 0);
  CHECK(result(better, "publications").rfind("ok", 0) == 0);
}

TEST_CASE("doctor: text has no escape byte without a terminal, monitoring one line", "[doctor]") {
  const Outcome text = run({"rtctl", "doctor", "--only", "machine"}, "", {{"TERM", "xterm"}});
  CHECK(text.status == 0);
  CHECK((text.out + text.err).find('\x1b') == std::string::npos);
  CHECK(text.out.find("30 descriptors") == 0);
  const Outcome nagios =
      run({"rtctl", "doctor", "http://127.0.0.1:1/", "--only", "connect", "--format", "nagios"});
  CHECK(nagios.status == 2);
  CHECK(nagios.out.rfind("CRITICAL - connect: Connection refused", 0) == 0);
  const Outcome unknown = run({"rtctl", "doctor", "--only", "nothing", "--format", "nagios"});
  CHECK(unknown.status == 3);
  CHECK(unknown.out.rfind("UNKNOWN - there is no check", 0) == 0);
  CHECK(run({"rtctl", "doctor", "--only", "nothing"}).status == 2);
}

}  // namespace

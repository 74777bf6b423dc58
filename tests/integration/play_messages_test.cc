// rtreplay play to what takes messages: HTTP, Redis, NOTIFY.
#include <catch2/catch.hpp>
#include <mutex>
#include <nlohmann/json.hpp>

#include "integration/private_postgres.h"
#include "integration/private_redis.h"
#include "integration/scripted_server.h"
#include "rtreplay/sample.h"

using namespace rt;
using namespace rt::test;
using nlohmann::json;

namespace {

// The data of the events that a subscriber printed.
std::vector<json> heard(const std::string& out) {
  std::vector<json> all;
  for (const json& line : json_lines(out)) {
    if (line["type"] == "event") all.push_back(json::parse(line["data"].get<std::string>()));
  }
  return all;
}

std::vector<std::string> play_words(const std::string& archive, const std::string& to) {
  return {"rtreplay", "play", archive, "--to", to, "--speed", "max"};
}

}  // namespace

TEST_CASE("play: over HTTP each event is one request that says who it is, and is tried again",
          "[play_messages]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  std::mutex mutex;
  std::vector<std::string> requests;
  std::size_t connections = 0;
  ScriptedServer server([&](Peer& peer, std::size_t) {
    {
      const std::lock_guard lock(mutex);
      ++connections;
    }
    for (;;) {
      const std::string request = peer.read_request();
      if (request.empty()) return;
      const std::lock_guard lock(mutex);
      requests.push_back(request);
      const bool away = requests.size() == 3;
      const bool refuses = requests.size() == 5;
      const char* status = away ? "503 Away" : refuses ? "422 No" : "204 Done";
      peer.send(std::string("HTTP/1.1 ") + status + "\r\nContent-Length: 0\r\n\r\n");
    }
  });
  const Outcome end = run(play_words(scratch / "a.rtr", server.url("/hook")));
  INFO(end.err);
  CHECK(end.status == 4);  // one was refused
  CHECK_THAT(end.err, Catch::Contains("sent 9 messages, 1 tries repeated, 2xx 9, 4xx 1, 5xx 1"));
  const std::lock_guard lock(mutex);
  CHECK(connections == 1);
  REQUIRE(requests.size() == 11);  // nine rows, one event, one of them twice
  const std::string first = "Idempotency-Key: " + Position{commit_lsn(0), 0}.text();
  CHECK_THAT(requests[0], Catch::Contains(first));
  CHECK_THAT(requests[10], Catch::Contains("Idempotency-Key: e-1"));
  CHECK_THAT(requests[10], Catch::EndsWith("{\"a\":1}"));
  const auto body = [](const std::string& request) {
    return json::parse(request.substr(request.find("\r\n\r\n") + 4));
  };
  CHECK(body(requests[0])["op"] == "I");
  CHECK(body(requests[2]) == body(requests[3]));
}

TEST_CASE("play: to Redis rows are published, or appended to a stream", "[play_messages]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  PrivateRedis redis;
  auto words = play_words(scratch / "a.rtr", redis.url());
  words.insert(words.end(), {"--to-stream", "rows"});
  CHECK(run(words).status == 0);
  CHECK(redis.command({"XLEN", "rows"}).integer == 10);
  const RedisReply entries = redis.command({"XRANGE", "rows", "-", "+", "COUNT", "1"});
  CHECK(json::parse(entries.items[0].items[1].items[1].text)["op"] == "I");
  RunningTool listener({"rtctl", "sub", "redis", "orders", "--redis", redis.url(), "--count", "10",
                        "--json", "--records", "all"});
  REQUIRE(listener.wait_for(R"("type":"open")"));
  words = play_words(scratch / "a.rtr", redis.url());
  words.insert(words.end(), {"--channel", "orders"});
  CHECK(run(words).status == 0);
  CHECK(heard(listener.finish().out).size() == 10);
}

TEST_CASE("play: to NOTIFY a row is a payload, and one too large its id", "[play_messages]") {
  const Scratch scratch;
  const ManualClock clock;
  {
    auto writer = archive::Writer::create(scratch / "a.rtr", origin(), moment(clock)).value();
    for (const std::string& body :
         {begin(commit_lsn(0), commit_time(0), 1), two_columns(1, "t", 'd', false),
          change('I', 1, 'N' + tuple({"1", "small"})),
          change('I', 1, 'N' + tuple({"2", std::string(9000, 'x')})),
          commit(commit_lsn(0), end_lsn(0), commit_time(0))}) {
      REQUIRE(writer.append(wal(body, 1, kStart), clock.now()));
    }
    REQUIRE(writer.close(clock.now()));
  }
  PrivatePostgres postgres;
  RunningTool listener({"rtctl", "sub", "notify", "orders", "--pg", postgres.dsn(), "--count", "2",
                        "--json", "--records", "all"});
  REQUIRE(listener.wait_for(R"("type":"open")"));
  auto words = play_words(scratch / "a.rtr", "notify");
  words.insert(words.end(), {"--pg", postgres.dsn(), "--channel", "orders"});
  const Outcome played = run(words);
  INFO(played.err);
  CHECK(played.status == 0);
  CHECK_THAT(played.err, Catch::Contains("1 too large for NOTIFY"));
  const auto lines = heard(listener.finish().out);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["new"]["note"] == "small");
  CHECK(lines[1]["id"] == Position{commit_lsn(0), 1}.text());
}

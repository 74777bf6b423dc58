// What `rtctl publish` sends where, and when it says that something came back.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "integration/running_tool.h"
#include "rtctl/echo_server.h"

namespace rt::test {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

Outcome publish(Words words, const std::string& input = {},
                const RunningTool::Environment& env = {}) {
  words.insert(words.begin(), {"rtctl", "publish"});
  return run(std::move(words), input, env);
}

TEST_CASE("publish: each verb's target and exact bytes", "[rtctl][publish]") {
  struct Case {
    Words words;
    std::string line;
  };
  const std::string at = "http://h:1";
  const std::vector<Case> cases = {
      {{"topic", "Orders", R"({"a": 1.50})", "-u", at + "/"},
       "POST http://h:1/topics/orders/events {\"data\":{\"a\":1.50}}"},
      {{"topic", "alpha", "1", "--via", "notify", "--pg", "x"},
       "NOTIFY topic_broadcast_3 {\"topic\":\"alpha\",\"data\":1}"},
      {{"topic", "alpha", "1", "--pg", "x", "--shards", "16"},
       "NOTIFY topic_broadcast_11 {\"topic\":\"alpha\",\"data\":1}"},
      {{"event", "gym:1:s", "s.changed", R"({"id":1})", "-u", at},
       R"(POST http://h:1/events {"channel":"gym:1:s","event_type":"s.changed","data":{"id":1}})"},
      {{"event", "gym:1:s", "s.changed", R"({"id":1})", "--redis", "redis://h"},
       R"(PUBLISH gym:1:s {"event_type":"s.changed","data":{"id":1}})"},
      {{"realtime", "t", R"({"id":1})", "--user", "u", "-u", at},
       R"(POST http://h:1/realtime {"type":"t","data":{"id":1},"userId":"u"})"},
      {{"job", "a/b", "[1]", "-u", at}, "POST http://h:1/jobs/a%2Fb [1]"},
      {{"job", "a", "[1]", "--pg", "x"}, "INSERT pgboss.job a [1]"},
      {{"notify", "C", "[1, 2]", "--pg", "x"}, "NOTIFY C [1, 2]"},
      {{"run", R"({"id":"r"})", "-u", at}, R"(POST http://h:1/v1/runs {"id":"r"})"},
      {{"run", R"({"id":"r"})", "--pg", "x"}, R"(INSERT public.task_run {"id":"r"})"},
  };
  for (const Case& each : cases) {
    Words words = each.words;
    words.push_back("--dry-run");
    const Outcome end = publish(words);
    INFO(each.line << "\n" << end.err);
    CHECK(end.status == 0);
    CHECK(end.out == each.line + "\n");
  }
}

TEST_CASE("publish: what makes no sense is exit 2, and says what is possible", "[rtctl][publish]") {
  struct Case {
    Words words;
    std::string said;
  };
  const std::vector<Case> cases = {
      {{"topic", "a", "1", "--via", "redis"}, "possible is --via http, notify"},
      {{"topic", "a", "1", "--via", "notfy"}, "did you mean notify?"},
      {{"event", "gym:1:a", "t", "1", "--via", "insert"}, "possible is --via http, redis"},
      {{"job", "q", "1", "--via", "notify"}, "possible is --via http, insert"},
      {{"topic", "a b", "1"}, "invalid topic"},
      {{"topic", "a", "{"}, "the data is not JSON"},
      {{"topic", "a", "1", "--pg", "x", "--shards", "0"}, "--shards"},
      {{"topic", "a", "1", "--via", "notify"}, "--pg is missing"},
      {{"event", "gym:x:a", "t", "1"}, "scope id"},
      {{"event", "gym:1:", "t", "1", "--via", "redis"}, "topic is empty"},
      {{"event", "gym:1:a", "", "1"}, "event type is empty"},
      {{"event", "gym:1:a", "t", "1", "--via", "redis"}, "--redis is missing"},
      {{"event", "gym:1:a", "t", "1", "--redis", "ftp://x"}, "Redis URL"},
      {{"realtime", "", "1"}, "type is empty"},
      {{"realtime", "t", "1", "--stream"}, "--via redis"},
      {{"notify", "c", std::string(8000, 'x'), "--pg", "x"}, "payload too large"},
      {{"notify", std::string(64, 'c'), "x", "--pg", "x"}, "channel"},
      {{"job", "q", "1", "--priority", "5", "-u", "http://h"}, "--via insert"},
      {{"topic", "a", "{{nn}}"}, "did you mean {{n}}?"},
      {{"topic", "a", "{{line}}"}, "--template"},
      {{"topic", "a", "1", "--template", "{{line}}"}, "input lines"},
      {{"topic", "a", "1", "-"}, "among other data"},
      {{"topic", "a", "1", "--rate", "5"}, "500/s"},
      {{"topic", "a", "1", "--await", "x"}, "--await=10s"},
      {{"run", "--id", "r", R"({"id":"x"})"}, "one run"},
      {{"topic", "a", "1", "--url", "http://h", "--pg", "x"}, "exclude each other"},
  };
  for (const Case& each : cases) {
    const Outcome end = publish(each.words);
    INFO(each.said << "\n" << end.err);
    CHECK(end.status == 2);
    CHECK(end.err.find(each.said) != std::string::npos);
    CHECK(end.out == "");
  }
}

TEST_CASE("publish: arguments have placeholders, input lines have none of their own",
          "[rtctl][publish]") {
  const std::string head = "NOTIFY c ";
  const Words base = {"notify", "c", "--pg", "x", "--dry-run", "--seed", "7"};
  const auto sent = [&](Words more, const std::string& input = {}) {
    Words words = base;
    words.insert(words.end(), more.begin(), more.end());
    return publish(words, input).out;
  };
  CHECK(sent({"a{{n}}", "b{{ n }}", "--count", "3"}) ==
        head + "a1\n" + head + "b2\n" + head + "a3\n");
  CHECK(sent({R"({"a":{"b":1}})"}) == head + R"({"a":{"b":1}})" + "\n");
  CHECK(sent({"{{n}}", "--no-template"}) == head + "{{n}}\n");
  CHECK(sent({"-"}, "{{n}}\n \nx\r\n") == head + "{{n}}\n" + head + "x\n");
  CHECK(sent({}, "y\n") == head + "y\n");
  CHECK(sent({"--template", "{{n}}:{{line_json}}"}, "a \"b\"\nc") ==
        head + "1:\"a \\\"b\\\"\"\n" + head + "2:\"c\"\n");
  CHECK(sent({"--count", "1"}, "a\nb\n") == head + "a\n");
  CHECK(sent({"{{rand 1 1000000}} {{uuid}}"}) == sent({"{{rand 1 1000000}} {{uuid}}"}));
}

TEST_CASE("publish: no input sends nothing and says so", "[rtctl][publish]") {
  const Outcome end = publish({"topic", "a", "-u", "http://127.0.0.1:1"});
  CHECK(end.status == 0);
  CHECK(end.err == "rtctl: nothing was sent: the input has no line\n");
}

TEST_CASE("publish: a job's id is what the server answers; --tee prints the message",
          "[rtctl][publish]") {
  EchoServer server([](const std::string&, const std::string&) { return std::string(); },
                    R"({"id":"j-1"})");
  const Outcome id = publish({"job", "mail", "{}", "-u", server.url()});
  CHECK(id.out == "j-1\n");
  CHECK(id.err == "");
  const Outcome tee = publish({"job", "mail", "{}", "--tee", "-u", server.url()});
  CHECK(tee.out == "{\"data\":{}}\n");
  const Outcome record = publish({"job", "mail", "{}", "--json", "-u", server.url()});
  CHECK(json::parse(record.out)["id"] == "j-1");
}

TEST_CASE("publish --await over HTTP: the subscription stands first, equal JSON counts",
          "[rtctl][publish]") {
  struct Case {
    Words words;
    std::string stream;
    EchoServer::Frame frame;
  };
  const auto data_of = [](const std::string&, const std::string& body) {
    return "event: e\ndata: " + json::parse(body)["data"].dump() + "\n\n";
  };
  const auto whole = [](const std::string&, const std::string& body) {
    return "data: " + json::parse(body).dump() + "\n\n";
  };
  const std::vector<Case> cases = {
      {{"topic", "a", R"({"z":1, "a":2})"}, "GET /topics/a/events", data_of},
      {{"event", "gym:1:x", "t", R"({"z":1, "a":2})"}, "GET /events?scope=gym&scope_id=1", data_of},
      {{"realtime", "t", R"({"z":1, "a":2})"}, "GET /realtime?events=t", whole},
      {{"run", R"({"id":"r", "n":1})"}, "GET /v1/runs/stream", whole},
  };
  for (const Case& each : cases) {
    EchoServer server(each.frame);
    Words words = each.words;
    words.insert(words.end(), {"-u", server.url(), "--await"});
    const Outcome end = publish(words);
    INFO(each.stream << end.err);
    CHECK(end.status == 0);
    CHECK(end.err.rfind("rtctl: came back after ", 0) == 0);
    REQUIRE(server.requests().size() == 2);
    CHECK(server.requests()[0].rfind(each.stream, 0) == 0);
    CHECK(server.requests()[1].rfind("POST ", 0) == 0);
  }
}

TEST_CASE("publish job --await: the job's own stream, once its id is known", "[rtctl][publish]") {
  EchoServer server(
      [](const std::string&, const std::string&) {
        return std::string("data: {\"id\":\"j-1\",\"status\":\"pending\"}\n\n");
      },
      R"({"id":"j-1"})");
  const Outcome end = publish({"job", "mail", "{}", "--await", "-u", server.url()});
  INFO(end.err);
  CHECK(end.status == 0);
  CHECK(server.requests() == Words{"POST /jobs/mail", "GET /jobs/j-1/stream"});
}

TEST_CASE("publish --await: exit 1 when another message or none comes back", "[rtctl][publish]") {
  const std::string frame = GENERATE(std::string(), std::string("data: {\"other\":1}\n\n"));
  EchoServer server([&](const std::string&, const std::string&) { return frame; });
  const Outcome end = publish({"topic", "a", "{}", "--await=200ms", "-u", server.url()});
  CHECK(end.status == 1);
  CHECK(end.err.find("1 of 1 message did not come back within 0.2 s") != std::string::npos);
}

TEST_CASE("publish --await: no subscription, nothing is sent", "[rtctl][publish]") {
  const Outcome end = publish({"topic", "a", "{}", "--await", "-u", "http://127.0.0.1:1"});
  CHECK(end.status == 3);
  CHECK(end.err.find("cannot wait for the message") != std::string::npos);
}

TEST_CASE("publish: on a schedule, a server that is away is counted; without one it ends the run",
          "[rtctl][publish]") {
  const std::string nowhere = "http://127.0.0.1:1";
  const Outcome paced = publish({"topic", "a", "{}", "-n", "5", "-r", "1k/s", "-u", nowhere});
  CHECK(paced.status == 3);
  CHECK(paced.err.find("5 of 5 messages failed, the first: ") != std::string::npos);
  const Outcome plain = publish({"topic", "a", "{}", "-n", "5", "-u", nowhere});
  CHECK(plain.status == 3);
  CHECK(plain.err.find("of 5 messages failed") == std::string::npos);
}

TEST_CASE("publish: interrupted while it waits for input, or for its turn", "[rtctl][publish]") {
  const bool lines = GENERATE(false, true);
  EchoServer server([](const std::string&, const std::string&) { return std::string(); });
  Words words = {"rtctl", "publish", "topic", "a", "-u", server.url(), "--tee"};
  if (!lines) words.insert(words.end(), {"{}", "-n", "3", "-r", "1/h"});
  RunningTool publisher(words);
  if (lines) publisher.write("{}\n");
  REQUIRE(publisher.wait_for("{\"data\":{}}\n"));
  publisher.signal(SIGINT);
  REQUIRE(publisher.wait_for("interrupted: sent 1"));
  CHECK(publisher.finish().status == 130);
}

}  // namespace
}  // namespace rt::test

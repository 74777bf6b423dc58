// The events surface without sockets and without Redis: frames (contracts of eventrail, as golden
// texts), what a request means, and who is told what when.
#include <catch2/catch.hpp>
#include <climits>
#include <deque>
#include <map>

#include "archive/bodies.h"
#include "io/poller.h"
#include "server/events_board.h"
#include "server/events_endpoint.h"
#include "server/events_wire.h"

using namespace rt;
using namespace rt::server;
using namespace std::chrono_literals;

namespace {

std::string frame(std::string_view payload, std::string_view prefix = {}) {
  std::string out;
  append_event_frame(out, payload, *event_prefix(prefix));
  return out;
}

TEST_CASE("events: names and data are those of eventrail's encoder", "[events]") {
  struct Row {
    std::string payload, prefix, event, data;
  };
  const std::string students = R"({"event_type":"x.y","data":{"id":1}})";
  const std::vector<Row> rows = {
      {"hello", "", "message", "hello"},
      {"{", "", "message", "{"},
      {"[1]", "", "message", "[1]"},
      {"null", "", "message", "null"},
      {"\"x\"", "", "message", "\"x\""},
      {"", "", "message", ""},
      {R"({"event_type":7,"data":1})", "", "message", R"({"event_type":7,"data":1})"},
      {R"({"event_type":null,"data":1})", "", "message", R"({"event_type":null,"data":1})"},
      {"hello", "app", "app.message", "hello"},
      {"{", "app", "app.message", "{"},
      {R"({"event_type":"","data":1})", "", "message", R"({"event_type":"","data":1})"},
      {R"({"data":1})", "", "message", R"({"data":1})"},
      {R"({"data":1})", "app", "app.message", R"({"data":1})"},
      {students, "", "x.y", R"({"id":1})"},
      {students, "app", "app.x.y", R"({"id":1})"},
      {R"({"event_type":"x.y"})", "", "x.y", "{}"},
      {R"({"event_type":"x.y"})", "app", "app.x.y", "{}"},
      {R"({"event_type":"x.y","data":null})", "", "x.y", "null"},
      {R"({"event_type":"app.x","data":1})", "app", "app.x", "1"},
      {R"({"event_type":"app.","data":1})", "app", "app.", "1"},
      {R"({"event_type":"app","data":1})", "app", "app.app", "1"},
      {R"({"event_type":"application.x","data":1})", "app", "app.application.x", "1"},
      {students, " app. ", "app.x.y", R"({"id":1})"},
      {students, "app..", "app..x.y", R"({"id":1})"},
      {students, "  ", "x.y", R"({"id":1})"},
      {students, ".", "x.y", R"({"id":1})"},
      // The bytes of data are those that were published; names are read as Go does.
      {R"( {"data" : {"b": 1.50e+3,"a":"<\u2028&" } , "event_type":"x.y"} )", "", "x.y",
       R"({"b": 1.50e+3,"a":"<\u2028&" })"},
      {R"({"Event_Type":"a","EVENT_TYPE":"b","DATA":1,"data":2})", "", "b", "2"},
      {R"({"event_type":"caf\u00e9","data":1})", "", "caf\u00e9", "1"},
  };
  for (const Row& row : rows) {
    INFO(row.payload << " with prefix \"" << row.prefix << '"');
    CHECK(frame(row.payload, row.prefix) == "event: " + row.event + "\ndata: " + row.data + "\n\n");
  }
  CHECK(!event_prefix("a\nb"));
}

TEST_CASE("events: a line end in the data makes a data line, never a field", "[events]") {
  CHECK(frame("a\nevent: forged\n\ndata: b") ==
        "event: message\ndata: a\ndata: event: forged\ndata: \ndata: data: b\n\n");
  CHECK(frame("a\rid: 1\r\nretry: 1") ==
        "event: message\ndata: a\ndata: id: 1\ndata: retry: 1\n\n");
  CHECK(frame("{\"event_type\":\"x\",\"data\":{\n  \"id\": 1\r\n}}") ==
        "event: x\ndata: {\ndata:   \"id\": 1\ndata: }\n\n");
}

TEST_CASE("events: a type with a control character is no name", "[events]") {
  for (const char* type : {R"(x\ndata: forged)", R"(x\r)", R"(\u0000)", R"(x\u007f)", R"(\t)"}) {
    const std::string payload = R"({"event_type":")" + std::string(type) + R"(","data":1})";
    INFO(payload);
    std::string out;
    CHECK(!append_event_frame(out, payload, "app"));
    CHECK(out == "event: app.message\ndata: " + payload + "\n\n");
  }
}

TEST_CASE("events: a publish request says what is wrong with it", "[events]") {
  struct Row {
    std::string body;
    int status;
    std::string text;  // the envelope, or the refusal
  };
  const std::vector<Row> rows = {
      {R"({"channel":"gym:1:students","event_type":"students.changed","data":{"id": 123}})", 202,
       R"({"event_type":"students.changed","data":{"id":123}})"},
      {R"({"event_type":"x","channel":"gym:1:a:b"})", 202, R"({"event_type":"x"})"},
      {R"({"channel":"gym:1:a","event_type":"x","data":null})", 202,
       R"({"event_type":"x","data":null})"},
      {"", 400, "invalid JSON; expected {\"channel\", \"event_type\", \"data\"}\n"},
      {"[]", 400, "invalid JSON; expected {\"channel\", \"event_type\", \"data\"}\n"},
      {R"({"event_type":"x"})", 400, "channel cannot be empty\n"},
      {R"({"channel":"","event_type":"x"})", 400, "channel cannot be empty\n"},
      {R"({"channel":7,"event_type":"x"})", 400, "channel cannot be empty\n"},
      {R"({"channel":"gym:1:a"})", 400, "event type cannot be empty\n"},
      {R"({"channel":"gym:1:a","event_type":""})", 400, "event type cannot be empty\n"},
      {R"({"channel":"gym:1:a","event_type":"a\nb"})", 400,
       "the event type has a control character\n"},
      {R"({"channel":"students","event_type":"x"})", 400,
       "invalid channel \"students\": it does not have three parts\n"},
      {R"({"channel":"gym:1:*","event_type":"x"})", 400,
       "invalid channel \"gym:1:*\": its topic has white space, a control character or a glob\n"},
      {R"({"channel":"gym:2:a","event_type":"x"})", 403, "channel gym:2:a is not in scope gym:1\n"},
      {R"({"channel":"org:1:a","event_type":"x"})", 403, "channel org:1:a is not in scope gym:1\n"},
      {R"({"channel":"gym:01:a","event_type":"x"})", 403,
       "channel gym:01:a is not in scope gym:1\n"},
  };
  for (const Row& row : rows) {
    INFO(row.body);
    const EventPublish publish = parse_event_publish(row.body, "gym:1");
    CHECK(publish.status == row.status);
    CHECK((row.status == 202 ? publish.envelope : publish.refusal) == row.text);
  }
  CHECK(parse_event_publish(R"({"channel":"org:2:a","event_type":"x"})", "").status == 202);
  CHECK(parse_event_publish(R"({"channel":"org:2:*","event_type":"x"})", "").status == 400);
  CHECK(published_json("gym:1:\"q\"", 2) == "{\"channel\":\"gym:1:\\\"q\\\"\",\"receivers\":2}\n");
}

// What the endpoint makes of a request, as a word.
std::string answer_to(const EventsEndpoint& endpoint, const std::string& first_line,
                      const std::string& headers = {}) {
  http1::RequestParser parser;
  const std::string text = first_line + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
  std::string_view bytes = text;
  REQUIRE(parser.receive(bytes) == http1::HeadStatus::complete);
  const Outcome outcome = endpoint.on_request(parser.head());
  if (const auto* answer = std::get_if<Answer>(&outcome)) {
    return std::to_string(answer->status) + " " + answer->body;
  }
  if (const auto* opening = std::get_if<Opening>(&outcome)) {
    CHECK(opening->preamble == ": retry 3000\n\n");
    return "stream " + opening->name;
  }
  if (const auto* body = std::get_if<BodyWanted>(&outcome)) return "body for " + body->name;
  return "not mine";
}

TEST_CASE("events: without a key the query names the scope, on loopback alone", "[events]") {
  const ManualClock clock;
  EventsEndpoint::Options options;
  const EventsEndpoint open_to_all(options, clock);
  options.loopback_only = true;
  const EventsEndpoint endpoint(options, clock);
  const std::string unresolved = "401 failed to resolve principal: ";
  CHECK(answer_to(endpoint, "GET /events?scope=gym&scope_id=1") == "stream gym:1");
  CHECK(answer_to(endpoint, "GET /events?scope_id=0&scope=My-gym_2") == "stream My-gym_2:0");
  CHECK(answer_to(endpoint, "POST /events?scope=gym&scope_id=1") == "body for gym:1");
  CHECK(answer_to(endpoint, "POST /events") == "body for ");  // the channel names the scope
  CHECK(answer_to(endpoint, "GET /events") ==
        unresolved + "the scope is missing: ?scope=gym&scope_id=1\n");
  for (const char* query : {"scope=*&scope_id=1", "scope=gym:1&scope_id=1", "scope=&scope_id=1",
                            "scope=g%0Am&scope_id=1", "scope_id=1"}) {
    INFO(query);
    CHECK(answer_to(endpoint, "GET /events?" + std::string(query)) ==
          unresolved + "scope must be a word of letters, digits, _, -\n");
  }
  for (const char* id : {"", "*", "-1", "1.0", "0x1", "9223372036854775808", "1%20"}) {
    INFO(id);
    CHECK(answer_to(endpoint, "GET /events?scope=gym&scope_id=" + std::string(id)) ==
          unresolved + "scope_id must be a whole number\n");
  }
  CHECK(answer_to(open_to_all, "GET /events?scope=gym&scope_id=1").rfind(unresolved, 0) == 0);
  CHECK(answer_to(open_to_all, "POST /events?scope=gym&scope_id=1").rfind(unresolved, 0) == 0);
  CHECK(answer_to(open_to_all, "POST /events").rfind(unresolved, 0) == 0);
  CHECK(answer_to(endpoint, "GET /other") == "not mine");
  CHECK(answer_to(endpoint, "GET /events/x") == "not mine");
  CHECK(answer_to(endpoint, "DELETE /events?scope=gym&scope_id=1") == "405 Method not allowed\n");
  CHECK(endpoint.stream_rules().keepalive(clock.wall()) == ": heartbeat\n\n");
  CHECK(endpoint.stream_rules().keepalive_every == 30s);
  CHECK(endpoint.stream_rules().when_slow == StreamRules::WhenSlow::drop);
}

// A broker whose link and confirmations the test decides.
struct ScriptedBroker final : EventsBroker {
  std::vector<std::string> log;  // "+gym:1:*", "-gym:1:*"
  Link state = Link::up;
  Result<std::int64_t> heard = 1;
  std::string published;

  void listen(const std::string& pattern) override { log.push_back("+" + pattern); }
  void ignore(const std::string& pattern) override { log.push_back("-" + pattern); }
  Link link() const override { return state; }
  std::uint64_t gaps() const override { return 3; }
  Result<std::int64_t> publish(std::string_view channel, std::string_view payload) override {
    published = std::string(channel) + "=" + std::string(payload);
    return heard;
  }
};

// A hub that writes down what a board says.
struct NotedPort final : BoardPort {
  ManualClock clock;
  io::Wakeup bell = std::move(*io::Wakeup::create());
  std::vector<std::string> log;  // "frame" to a scope, "1< text" to subscriber 1, "2= answer"
  std::map<std::uint64_t, std::string> names;

  void send(const EventRef& event) override {
    const EventBlock::Content& content = event->content();
    REQUIRE(content.keys.size() == 1);
    CHECK(content.surface == Surface::events);
    log.push_back(names[content.target.low] + ": " + std::string(content.frame));
  }
  bool has_room() override { return room-- > 0; }
  int room = INT_MAX;  // events that the shards take yet
  void answer(const Asker& asker, Answer answer) override {
    log.push_back(std::to_string(asker.connection.slot) + "= " + std::to_string(answer.status) +
                  " " + answer.body);
  }
  void tell(const Asker& subscriber, std::string text, bool last) override {
    log.push_back(std::to_string(subscriber.connection.slot) + "< " + text + (last ? "END" : ""));
  }
  io::Wakeup& wakeup() override { return bell; }
  WallTime now() override { return clock.wall(); }

  std::string take() {
    std::string all;
    for (const std::string& line : log) all += line + "|";
    log.clear();
    return all;
  }
};

struct BoardTest {
  explicit BoardTest(EventsBoard::Options options = {}) : board(std::move(options), broker) {
    REQUIRE(board.open(port));
  }
  static Asker asker(std::uint32_t slot) { return {0, {slot, 1}}; }
  static Opening opening(const std::string& scope) {
    Opening opening;
    opening.name = scope;
    opening.target = hash_name(Role::scope, scope);
    opening.keys = {opening.target.low};
    return opening;
  }
  void join(std::uint32_t slot, const std::string& scope) {
    port.names[opening(scope).target.low] = scope;
    board.join(asker(slot), opening(scope));
  }
  void part(std::uint32_t slot, const std::string& scope) {
    board.part(asker(slot), opening(scope).target, false);
  }
  void mark(std::string_view pattern) {
    RecordView record;
    record.kind = RecordKind::mark;
    record.body = pattern;
    board.hear(record);
  }
  void gap() {
    RecordView record;
    record.kind = RecordKind::gap;
    board.hear(record);
  }
  void message(std::string_view channel, std::string_view payload) {
    std::string body;
    archive::encode(body, archive::RedisBody{{}, channel, payload});
    RecordView record;
    record.kind = RecordKind::redis;
    record.body = body;
    board.hear(record);
  }
  std::string broker_log() {
    std::string all;
    for (const std::string& line : broker.log) all += line + "|";
    broker.log.clear();
    return all;
  }

  ScriptedBroker broker;
  NotedPort port;
  EventsBoard board;
};

TEST_CASE("events board: a subscriber is live when the broker listens, not before", "[events]") {
  BoardTest test;
  test.join(1, "gym:1");
  test.join(2, "gym:1");
  CHECK(test.broker_log() == "+gym:1:*|");  // one pattern for both
  test.board.turn();
  CHECK(test.port.take().empty());
  test.mark("gym:1:*");
  CHECK(test.port.take() == "1< |2< |");
  test.join(3, "gym:1");
  CHECK(test.port.take() == "3< |");
  CHECK(test.broker_log().empty());
}

TEST_CASE("events board: scope and id together choose who gets an event", "[events]") {
  BoardTest test({"app", 5min});
  for (const auto& [slot, scope] :
       std::map<std::uint32_t, std::string>{{1, "gym:1"}, {2, "org:1"}, {3, "gym:12"}}) {
    test.join(slot, scope);
    test.mark(scope + ":*");
  }
  test.port.take();
  test.message("gym:1:students", R"({"event_type":"students.changed","data":{"id":123}})");
  CHECK(test.port.take() == "gym:1: event: app.students.changed\ndata: {\"id\":123}\n\n|");
  test.message("org:1:a:b", "x");
  CHECK(test.port.take() == "org:1: event: app.message\ndata: x\n\n|");
  test.message("gym:2:a", "x");
  test.message("gym:1", "x");
  test.message("gym", "x");
  CHECK(test.port.take().empty());
  CHECK(test.board.counts().received == 5);
  CHECK(test.board.counts().delivered == 2);
}

TEST_CASE("events board: an outage and its end are said", "[events]") {
  BoardTest test;
  test.join(1, "gym:1");
  test.join(9, "idle:1");
  test.broker.state = EventsBroker::Link::down;
  test.board.turn();
  const std::string away =
      ": no connection to Redis: events come again after the next gap comment\n\n";
  const std::string told = test.port.take();  // in any order
  CHECK(told.find("1< " + away) != std::string::npos);
  CHECK(told.find("9< " + away) != std::string::npos);
  test.join(2, "gym:1");
  CHECK(test.port.take() == "2< " + away + "|");
  CHECK(test.board.health()().state == SurfaceHealth::State::degraded);
  test.part(9, "idle:1");
  test.broker.state = EventsBroker::Link::up;
  test.mark("gym:1:*");
  test.gap();
  CHECK(test.port.take() == "gym:1: : gap: the connection to Redis was lost, and is back\n\n|");
  CHECK(test.board.health()().state == SurfaceHealth::State::ok);
}

TEST_CASE("events board: nobody waits for ever for a confirmation", "[events]") {
  BoardTest test;
  test.broker.state = EventsBroker::Link::connecting;
  test.join(1, "gym:1");
  test.join(2, "gym:1");
  test.part(2, "gym:1");
  test.board.turn();
  CHECK(test.port.take().empty());
  test.port.clock.advance(6s);
  test.board.turn();
  CHECK(test.port.take().rfind("1< : no connection to Redis", 0) == 0);
}

TEST_CASE("events board: a hub without subscribers is given up after its time", "[events]") {
  BoardTest test;
  test.join(1, "gym:1");
  test.mark("gym:1:*");
  test.part(1, "gym:1");
  test.broker_log();
  test.port.clock.advance(4min + 59s);
  test.board.turn();
  test.message("gym:1:a", "x");
  CHECK(test.broker_log().empty());
  test.port.take();
  test.join(2, "gym:1");  // before the time is over: at once
  CHECK(test.port.take() == "2< |");
  test.part(2, "gym:1");
  test.port.clock.advance(5min);
  test.board.turn();
  CHECK(test.broker_log() == "-gym:1:*|");
  CHECK(test.board.counts().hubs == 0);
  test.join(3, "gym:1");
  CHECK(test.broker_log() == "+gym:1:*|");
  CHECK(test.port.take().empty());  // anew: it waits for the mark
}

TEST_CASE("events board: there are so many hubs and no more", "[events]") {
  BoardTest test;
  for (std::uint32_t i = 0; i < EventsBoard::kHubsMax; ++i) test.join(i, "s:" + std::to_string(i));
  test.broker_log();
  test.join(70'000, "s:70000");
  CHECK(test.port.take() == "70000< : closed: too many scopes are listened to\n\nEND|");
  test.part(70'000, "s:70000");
  CHECK(test.broker_log().empty());
  CHECK(test.board.counts().subscribers == EventsBoard::kHubsMax);
  CHECK(test.board.counts().hubs == EventsBoard::kHubsMax);
}

TEST_CASE("events board: a publish is answered when the broker has it, or cannot", "[events]") {
  BoardTest test;
  const auto answer_of = [&](std::uint32_t slot) {
    test.board.ask(BoardTest::asker(slot), {0, "gym:1:a", "{}"});
    auto poller = io::Poller::create();
    REQUIRE(poller->watch(test.port.bell.fd(), 0, io::Interest::read));
    std::array<io::Ready, 1> ready;
    const SystemClock clock;
    const Instant patience = clock.now() + 10s;
    while (test.port.log.empty() && clock.now() < patience) {
      poller->wait(ready, patience, clock.now());
      test.port.bell.answer();
      test.board.turn();
    }
    return test.port.take();
  };
  CHECK(answer_of(1) == "1= 202 {\"channel\":\"gym:1:a\",\"receivers\":1}\n|");
  CHECK(test.broker.published == "gym:1:a={}");
  test.broker.heard = fail(Code::unreachable, "cannot connect to Redis");
  CHECK(answer_of(2) == "2= 503 publish error: cannot connect to Redis\n|");
  CHECK(test.board.counts().published == 1);
  CHECK(test.board.counts().publish_failures == 1);
}

TEST_CASE("events board: an event that is too large is said, not sent", "[events]") {
  BoardTest test;
  test.join(1, "gym:1");
  test.mark("gym:1:*");
  test.port.take();
  test.message("gym:1:a", std::string(EventsBoard::kEventBytesMax + 1, 'x'));
  CHECK(test.port.take() ==
        "gym:1: : gap: an event of 16777217 bytes is too large to be sent\n\n|");
  CHECK(test.board.counts().unusable == 1);
}

TEST_CASE("events: what the shards have no room for waits, and so does its source", "[events]") {
  BoardTest test;
  test.join(1, "gym:1");
  test.mark("gym:1:*");
  test.port.take();
  test.port.room = 1;
  for (const char* payload : {"1", "2", "3"}) test.message("gym:1:a", payload);
  CHECK(test.port.take() == "gym:1: event: message\ndata: 1\n\n|");
  CHECK_FALSE(test.board.wants_more());
  test.port.room = 1;
  CHECK(test.board.turn());
  CHECK(test.port.take() == "gym:1: event: message\ndata: 2\n\n|");
  CHECK_FALSE(test.board.drain());
  test.port.room = 5;
  CHECK_FALSE(test.board.turn());
  CHECK(test.port.take() == "gym:1: event: message\ndata: 3\n\n|");
  CHECK(test.board.wants_more());
}

TEST_CASE("events: a server that drains waits for what it published to come back", "[events]") {
  BoardTest test;
  test.join(1, "gym:1");
  test.mark("gym:1:*");
  test.port.take();
  test.broker.log.clear();
  CHECK_FALSE(test.board.drain());
  CHECK_FALSE(test.board.drain());
  REQUIRE(test.broker.log.size() == 1);  // asked once
  const std::string echo = test.broker.log[0].substr(1);
  test.message("gym:1:a", "1");
  CHECK_FALSE(test.board.drain());
  test.mark(echo);
  CHECK(test.board.drain());
  CHECK(test.port.take() == "gym:1: event: message\ndata: 1\n\n|");
}

TEST_CASE("events: a server that drains does not wait for a Redis that is away", "[events]") {
  BoardTest away;
  away.join(1, "gym:1");
  away.broker.state = EventsBroker::Link::down;
  CHECK(away.board.drain());
  BoardTest lost;
  lost.join(1, "gym:1");
  CHECK_FALSE(lost.board.drain());
  lost.gap();  // the connection on which it would have come
  CHECK(lost.board.drain());
  BoardTest idle;
  CHECK(idle.board.drain());
}

}  // namespace

// The realtime surface without a server: what requests mean, and what the board says to whom. The
// bus is a scripted one.
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "archive/bodies.h"
#include "io/poller.h"
#include "server/realtime_board.h"
#include "server/realtime_endpoint.h"
#include "server/realtime_wire.h"

using namespace rt;
using namespace rt::server;
using nlohmann::json;

namespace {

// A whole request head; the endpoint sees it as the server would.
Outcome request(const RealtimeEndpoint& endpoint, std::string text) {
  http1::RequestParser parser;
  std::string_view bytes = text.append("Host: x\r\n\r\n");
  REQUIRE(parser.receive(bytes) == http1::HeadStatus::complete);
  return endpoint.on_request(parser.head());
}

Opening opening(const RealtimeEndpoint& endpoint, const std::string& target,
                const std::string& headers = "") {
  Outcome outcome = request(endpoint, "GET " + target + " HTTP/1.1\r\n" + headers);
  REQUIRE(std::holds_alternative<Opening>(outcome));
  return std::get<Opening>(outcome);
}

Answer answer(const Outcome& outcome) {
  REQUIRE(std::holds_alternative<Answer>(outcome));
  return std::get<Answer>(outcome);
}

RealtimeHttp on_loopback() {
  RealtimeHttp http;
  http.trusts_parameter = true;
  return http;
}

TEST_CASE("realtime: events=a,b names types; none, an empty list or `all` means every type",
          "[realtime]") {
  const RealtimeEndpoint endpoint(on_loopback());
  const auto keys = [&](const std::string& query) {
    auto found = opening(endpoint, "/realtime" + query).keys;
    REQUIRE(found.front() == realtime_everyone_key());
    found.erase(found.begin());
    return found;
  };
  using Keys = std::vector<std::uint64_t>;
  const Keys all{realtime_all_types_key()};
  CHECK(keys("") == all);
  CHECK(keys("?events=") == all);
  CHECK(keys("?events=,,%20,") == all);
  CHECK(keys("?events=a,all") == all);
  const Keys two{realtime_type_key("task-updated"), realtime_type_key("b c")};
  CHECK(keys("?events=task-updated,,b%20c,task-updated") == two);
  std::string many = "?events=0";
  for (int i = 1; i <= 64; ++i) many += "," + std::to_string(i);
  const Answer refusal = answer(request(endpoint, "GET /realtime" + many + " HTTP/1.1\r\n"));
  CHECK(refusal.status == 400);
}

TEST_CASE("realtime: other paths are not its own; other methods are refused by name",
          "[realtime]") {
  const RealtimeEndpoint endpoint(on_loopback());
  CHECK(std::holds_alternative<NotMine>(request(endpoint, "GET /realtime/x HTTP/1.1\r\n")));
  const Answer options = answer(request(endpoint, "OPTIONS /realtime HTTP/1.1\r\n"));
  CHECK(options.status == 204);
  CHECK(options.headers == "Allow: GET, POST, OPTIONS\r\n");
  const Answer other = answer(request(endpoint, "DELETE /realtime HTTP/1.1\r\n"));
  CHECK(other.status == 405);
  CHECK(other.headers == "Allow: GET, POST, OPTIONS\r\n");
}

TEST_CASE("realtime: the user is the token's; user= counts on loopback without a key only",
          "[realtime]") {
  const std::string as_u2 = "/realtime?user=u2";
  const RealtimeEndpoint local(on_loopback());
  CHECK(opening(local, as_u2).target == realtime_target("u2"));
  CHECK(opening(local, "/realtime").target == Hash128());
  const RealtimeEndpoint open({});
  CHECK(answer(request(open, "GET " + as_u2 + " HTTP/1.1\r\n")).status == 403);
  CHECK(opening(open, "/realtime").target == Hash128());
  RealtimeHttp with_key = on_loopback();
  with_key.identify = [](const http1::RequestHead& head) -> Result<RealtimeCaller> {
    if (head.header("Authorization") != "Bearer good") return fail(Code::refused, "no token");
    return RealtimeCaller{"u1", from_unix_us(7)};
  };
  const RealtimeEndpoint secured(with_key);
  const Opening of_u1 = opening(secured, as_u2, "Authorization: Bearer good\r\n");
  CHECK(of_u1.target == realtime_target("u1"));
  CHECK(of_u1.ends_at == from_unix_us(7));
  CHECK_FALSE(opening(local, as_u2).ends_at);
  for (const char* method : {"GET", "POST"}) {
    const Answer none =
        answer(request(secured, std::string(method) + " " + as_u2 + " HTTP/1.1\r\n"));
    CHECK(none.status == 401);
    CHECK(none.body == "{\"error\":\"no token\"}\n");
    CHECK(none.headers.find("WWW-Authenticate: Bearer\r\n") != std::string::npos);
  }
}

TEST_CASE("realtime: with a publish token nobody else posts, users least of all", "[realtime]") {
  RealtimeHttp http = on_loopback();
  http.publish_token = "of the back end";
  const auto post = [](const RealtimeEndpoint& endpoint, const std::string& headers) {
    return request(endpoint, "POST /realtime HTTP/1.1\r\nContent-Length: 9\r\n" + headers);
  };
  const std::string by_back_end = "Authorization: Bearer of the back end\r\n";
  const RealtimeEndpoint without_key(http);
  http.identify = [](const http1::RequestHead& head) -> Result<RealtimeCaller> {
    if (head.header("Authorization") != "Bearer u1") return fail(Code::refused, "no token");
    return RealtimeCaller{"u1", {}};
  };
  const RealtimeEndpoint with_key(http);
  for (const RealtimeEndpoint* endpoint : {&without_key, &with_key}) {
    CHECK(std::holds_alternative<BodyWanted>(post(*endpoint, by_back_end)));
    for (const std::string& headers :
         {std::string(), std::string("Authorization: Bearer of the back en\r\n"),
          std::string("Authorization: Basic of the back end\r\n")}) {
      INFO(headers);
      const Answer refused = answer(post(*endpoint, headers));
      CHECK(refused.status == 401);
      CHECK(refused.body == "{\"error\":\"publishing needs the publish token\"}\n");
      CHECK(refused.headers.find("WWW-Authenticate: Bearer\r\n") != std::string::npos);
    }
  }
  const Answer of_user = answer(post(with_key, "Authorization: Bearer u1\r\n"));
  CHECK(of_user.status == 403);
  CHECK(of_user.body == "{\"error\":\"this token may listen, not publish\"}\n");
  // It is no user's: who listens needs another one.
  CHECK(opening(without_key, "/realtime").target == Hash128());
  CHECK(answer(request(with_key, "GET /realtime HTTP/1.1\r\n" + by_back_end)).status == 401);
}

TEST_CASE("realtime: a post is 400 without JSON or type, 413 beyond what the transport takes",
          "[realtime]") {
  RealtimeHttp http = on_loopback();
  http.event_bytes_max = 100;
  const RealtimeEndpoint endpoint(http);
  const Outcome wanted = request(endpoint, "POST /realtime HTTP/1.1\r\nContent-Length: 9\r\n");
  CHECK(std::holds_alternative<BodyWanted>(wanted));
  CHECK(answer(request(endpoint, "POST /realtime HTTP/1.1\r\n")).status == 400);
  const auto refusal = [&](const std::string& body) { return answer(endpoint.on_body("", body)); };
  CHECK(refusal("{").body == "{\"error\":\"the body is no JSON object\"}\n");
  CHECK(refusal("{\"data\":1}").body == "{\"error\":\"type is missing or empty\"}\n");
  CHECK(refusal(R"({"type":"a\u0000b"})").status == 400);
  CHECK(refusal(R"({"type":"t","userId":7})").status == 400);
  const Answer large = refusal(R"({"type":"t","data":")" + std::string(100, 'x') + "\"}");
  CHECK(large.status == 413);
  CHECK(large.body.find("has 122 bytes, and the transport takes 100") != std::string::npos);
  const Outcome taken =
      endpoint.on_body("", R"({"data": {"n": 1.50}, "type":"t", "userId":"u", "id":"forged"})");
  REQUIRE(std::holds_alternative<Question>(taken));
  CHECK(std::get<Question>(taken).name == std::string("t\0u", 3));
  CHECK(std::get<Question>(taken).text == R"({"type":"t","data":{"n":1.50},"userId":"u"})");
}

// A bus whose past and present a test writes.
class ScriptedBus final : public RealtimeBus {
 public:
  explicit ScriptedBus(bool keeps_past) : keeps_past_(keeps_past) {}

  Result<void> run(std::stop_token, const Take&) override { return {}; }
  Result<void> publish(std::string_view, std::string_view event) override {
    if (!refusal.text.empty()) return fail(refusal);
    published.emplace_back(event);
    return {};
  }
  std::size_t event_bytes_max() const override { return 1'000; }
  bool has_past() const override { return keeps_past_; }
  Result<void> read_past(RedisEntryId after, RedisEntryId until, const TakePast& take) override {
    ++reads;
    if (!refusal.text.empty()) return fail(refusal);
    if (!gap.empty() && !take({RecordKind::gap, false, 0, 0, gap})) return {};
    const auto kept = [this] {  // on the board's errand thread
      const std::lock_guard lock(past_mutex);
      return past;
    }();
    for (const auto& [entry, event] : kept) {
      if (entry <= after || entry > until) continue;
      if (!take({RecordKind::redis, false, 0, 0, body_of(entry, event)})) return {};
    }
    return {};
  }
  RealtimeBusStatus status() const override { return now; }
  void on_change(std::function<void()> call) override { changed = std::move(call); }
  void close() override {}

  static std::string body_of(RedisEntryId entry, const std::string& event) {
    std::string fields;
    archive::encode(fields, archive::RedisField{"data", event});
    std::string body;
    archive::encode(body, archive::RedisBody{entry.text(), "rt:stream", fields});
    return body;
  }

  RealtimeBusStatus now;
  Error refusal;  // of publish() and read_past(), if it has a text
  std::vector<std::string> published;
  std::map<RedisEntryId, std::string> past;
  std::mutex past_mutex;  // once the board reads
  std::string gap;
  std::function<void()> changed;
  std::atomic<int> reads{0};

 private:
  const bool keeps_past_;
};

std::string event_json(int n, const std::string& type = "t", const std::string& more = "") {
  return R"({"type":")" + type + R"(","data":)" + std::to_string(n) + more + "}";
}

// A hub of one board: its subscribers by number, and what each was sent.
class Hub final : public BoardPort {
 public:
  explicit Hub(std::shared_ptr<ScriptedBus> bus)
      : bus_(std::move(bus)),
        intake(std::make_shared<RealtimeIntake>("me", !bus_->has_past())),
        figures(std::make_shared<RealtimeFigures>()),
        board_(bus_, "me", intake, figures) {
    REQUIRE(board_.open(*this));
  }

  void send(const EventRef& event) override {
    const EventBlock::Content& content = event->content();
    for (auto& [number, subscriber] : subscribers) {
      const auto& keys = subscriber.opening.keys;
      const bool wanted =
          std::any_of(content.keys.begin(), content.keys.end(), [&](std::uint64_t key) {
            return std::find(keys.begin(), keys.end(), key) != keys.end();
          });
      const bool is_for =
          content.target == Hash128() || content.target == subscriber.opening.target;
      if (subscriber.live && wanted && is_for) subscriber.text.append(content.frame);
    }
  }
  void answer(const Asker& asker, Answer answer) override {
    answers[asker.connection.slot] = std::move(answer);
  }
  void tell(const Asker& asker, std::string text, bool last) override {
    Subscriber& subscriber = subscribers[asker.connection.slot];
    REQUIRE(!subscriber.live);
    subscriber.live = !last;
    subscriber.ended = last;
    subscriber.text.append(text);
  }
  bool has_room() override { return true; }
  io::Wakeup& wakeup() override { return wakeup_; }
  WallTime now() override { return from_unix_us(1'774'744'200'123'456); }

  struct Subscriber {
    Opening opening;
    bool live = false;
    bool ended = false;
    std::string text;
  };

  // What it is sent, now and later.
  std::string& join(std::uint32_t number, const std::string& query = "",
                    const std::string& last_event_id = "") {
    static const RealtimeEndpoint endpoint(on_loopback());
    Subscriber& subscriber = subscribers[number];
    subscriber.opening = opening(endpoint, "/realtime" + query);
    subscriber.opening.last_event_id = last_event_id;
    board_.join({0, {number, 0}}, subscriber.opening);
    return subscriber.text;
  }
  bool drain() { return board_.drain(); }
  void part(std::uint32_t number) { board_.part({0, {number, 0}}, Hash128(), false); }
  Answer post(const std::string& body) {
    static const RealtimeEndpoint endpoint(on_loopback());
    Outcome outcome = endpoint.on_body("", body);
    REQUIRE(std::holds_alternative<Question>(outcome));
    answers.clear();
    board_.ask({0, {99, 0}}, std::get<Question>(std::move(outcome)));
    turn_until([&] { return answers.count(99) == 1; });
    return answers[99];
  }
  void connect(const std::optional<RedisEntryId>& begun) {
    bus_->now.connected = true;
    bus_->now.reason.clear();
    bus_->now.begun = begun;
    bus_->changed();
    board_.turn();
  }
  void hear(RedisEntryId entry, const std::string& event) {
    {
      const std::lock_guard lock(bus_->past_mutex);
      bus_->past[entry] = event;
    }
    board_.hear({RecordKind::redis, false, 0, 0, ScriptedBus::body_of(entry, event)});
    board_.turn();
  }
  void hear_notified(const std::string& event) {
    std::string body;
    archive::encode(body, archive::NotifyBody{"realtime_events", event, 1});
    board_.hear({RecordKind::notify, false, 0, 0, body});
  }
  void hear_gap(const std::string& reason) { board_.hear({RecordKind::gap, false, 0, 0, reason}); }
  // As the hub does: when it is rung.
  void turn_until(const std::function<bool()>& holds) {
    auto poller = *io::Poller::create();
    REQUIRE(poller.watch(wakeup_.fd(), 0, io::Interest::read));
    std::array<io::Ready, 1> ready;
    const SystemClock clock;
    const Instant deadline = clock.now() + std::chrono::seconds(10);
    while (!holds()) {
      REQUIRE(clock.now() < deadline);
      poller.wait(ready, deadline, clock.now());
      wakeup_.answer();
      board_.turn();
    }
  }

  std::map<std::uint32_t, Subscriber> subscribers;
  std::map<std::uint32_t, Answer> answers;

 private:
  io::Wakeup wakeup_ = *io::Wakeup::create();
  std::shared_ptr<ScriptedBus> bus_;

 public:
  std::shared_ptr<RealtimeIntake> intake;
  std::shared_ptr<RealtimeFigures> figures;

 private:
  RealtimeBoard board_;
};

const std::string kConnected =
    "data: {\"type\":\"connected\",\"timestamp\":\"2026-03-29T00:30:00.123Z\"}\n\n";

std::string framed(int n, const std::string& id = "") {
  return (id.empty() ? "" : "id: " + id + "\n") + "data: " + event_json(n) + "\n\n";
}

TEST_CASE("realtime: type and user decide; an event without a user is for everybody",
          "[realtime]") {
  Hub hub(std::make_shared<ScriptedBus>(false));
  const std::string& all = hub.join(1);
  const std::string& of_u1 = hub.join(2, "?user=u1&events=t");
  const std::string& of_u2 = hub.join(3, "?user=u2&events=other,t");
  hub.hear_notified(event_json(1));
  hub.hear_notified(event_json(2, "t", R"(,"userId":"u1")"));
  hub.hear_notified(event_json(3, "other"));
  const auto numbers = [](const std::string& text) {
    std::string found;
    for (std::size_t at = 0; (at = text.find("\"data\":", at)) != text.npos; ++at) {
      found += text[at + 7];
    }
    return found;
  };
  CHECK(all.rfind(kConnected, 0) == 0);
  CHECK(numbers(all) == "13");
  CHECK(numbers(of_u1) == "12");
  CHECK(numbers(of_u2) == "13");
}

TEST_CASE("realtime: without a past a post is told at once, and its echo is not", "[realtime]") {
  const auto bus = std::make_shared<ScriptedBus>(false);
  Hub hub(bus);
  const std::string& text = hub.join(1);
  const Answer answer = hub.post(R"({"type":"t","data":{"n": 1}})");
  CHECK(answer.status == 200);
  CHECK(answer.body == "{\"id\":\"me-1\"}\n");
  const std::string event = R"({"type":"t","data":{"n":1},"timestamp":"2026-03-29T00:30:00.123Z",)"
                            R"("id":"me-1","origin":"me"})";
  CHECK(bus->published == std::vector<std::string>{event});
  hub.hear_notified(event);
  CHECK(text == kConnected + "data: " + event + "\n\n");
  CHECK(bus->published.size() == 1);
}

TEST_CASE("realtime: while the transport is away a post is 503, and reaches this instance once",
          "[realtime]") {
  const bool keeps_past = GENERATE(false, true);
  const auto bus = std::make_shared<ScriptedBus>(keeps_past);
  Hub hub(bus);
  hub.connect(keeps_past ? std::optional(RedisEntryId{1, 0}) : std::nullopt);
  const std::string& text = hub.join(1);
  bus->refusal = {Code::unreachable, "cannot connect", ""};
  const Answer refusal = hub.post(R"({"type":"t","data":1})");
  CHECK(refusal.status == 503);
  const json said = json::parse(refusal.body);
  CHECK(said["error"] == "cannot connect");
  CHECK(said["id"] == "me-1");
  CHECK(said["reached"] == "subscribers of this instance only");
  const std::string once = text;
  CHECK(once.find("\"id\":\"me-1\"") != std::string::npos);
  CHECK(once.find("id: ") == std::string::npos);
  // It had been taken after all: only its answer was lost.
  hub.hear({2, 0}, R"({"type":"t","data":1,"id":"me-1","origin":"me"})");
  CHECK(text == once);
  CHECK(hub.figures->not_published == 1);
}

TEST_CASE("realtime: with a past a post is told when it comes back, with its entry's id",
          "[realtime]") {
  const auto bus = std::make_shared<ScriptedBus>(true);
  Hub hub(bus);
  hub.connect(RedisEntryId{5, 0});
  const std::string& text = hub.join(1);
  CHECK(hub.post(R"({"type":"t","data":1})").status == 200);
  CHECK(text == kConnected);
  hub.hear({6, 0}, bus->published[0]);
  CHECK(text == kConnected + "id: 6-0\ndata: " + bus->published[0] + "\n\n");
}

TEST_CASE("realtime: a gap is told to every subscriber, whatever it wants", "[realtime]") {
  Hub hub(std::make_shared<ScriptedBus>(false));
  const std::string& one = hub.join(1, "?events=a&user=u");
  const std::string& two = hub.join(2);
  hub.hear_gap("connection lost");
  CHECK(one == kConnected + ": gap: connection lost\n\n");
  CHECK(two == one);
  CHECK(hub.join(3, "", "7-0").find(": gap: this transport keeps no past: what followed 7-0") !=
        std::string::npos);
}

TEST_CASE("realtime: a transport that was away at the start is a gap when it comes", "[realtime]") {
  const auto bus = std::make_shared<ScriptedBus>(true);
  Hub hub(bus);
  bus->now.reason = "cannot connect";
  bus->changed();
  const std::string& text = hub.join(1);
  // Nothing can be said about what followed it: the client comes again.
  hub.join(2, "", "4-0");
  CHECK(hub.subscribers[2].ended);
  hub.connect(RedisEntryId{5, 0});
  CHECK(text.find(": gap: the transport was away until now") != std::string::npos);
}

TEST_CASE("realtime: a server that drains waits for its own last entry, if the stream is there",
          "[realtime]") {
  const auto bus = std::make_shared<ScriptedBus>(true);
  Hub hub(bus);
  hub.connect(RedisEntryId{5, 0});
  CHECK(hub.drain());
  hub.post(event_json(1));
  hub.post(event_json(2));
  CHECK_FALSE(hub.drain());
  hub.hear({6, 0}, bus->published[0]);
  hub.hear({7, 0}, event_json(3));  // another instance's
  CHECK_FALSE(hub.drain());
  hub.hear({8, 0}, bus->published[1]);
  CHECK(hub.drain());
  hub.post(event_json(4));
  bus->now.connected = false;
  CHECK(hub.drain());
}

TEST_CASE("realtime resume: what is recent comes from memory, filtered, and then live",
          "[realtime]") {
  const auto bus = std::make_shared<ScriptedBus>(true);
  Hub hub(bus);
  hub.connect(RedisEntryId{5, 0});
  hub.hear({6, 0}, event_json(6));
  hub.hear({7, 0}, event_json(7, "other"));
  hub.hear({8, 0}, event_json(8, "t", R"(,"userId":"u1")"));
  hub.hear({9, 0}, event_json(9));
  const std::string& text = hub.join(1, "?events=t&user=u2", "6-0");
  CHECK(text == kConnected + framed(9, "9-0"));
  hub.hear({10, 0}, event_json(10));
  CHECK(text == kConnected + framed(9, "9-0") + framed(10, "10-0"));
  CHECK(hub.join(2, "", "10-0") == kConnected);
  CHECK(bus->reads == 0);
}

TEST_CASE("realtime resume: what is older is read; what comes meanwhile follows once",
          "[realtime]") {
  const auto bus = std::make_shared<ScriptedBus>(true);
  for (std::uint64_t n = 1; n <= 5; ++n) bus->past[{n, 0}] = event_json(static_cast<int>(n));
  Hub hub(bus);
  hub.connect(RedisEntryId{5, 0});
  const std::string& text = hub.join(1, "", "2-0");
  hub.hear({6, 0}, event_json(6));
  hub.turn_until([&] { return hub.subscribers[1].live; });
  hub.hear({7, 0}, event_json(7));
  CHECK(text == kConnected + framed(3, "3-0") + framed(4, "4-0") + framed(5, "5-0") +
                    framed(6, "6-0") + framed(7, "7-0"));
  CHECK(bus->reads == 1);
}

TEST_CASE("realtime resume: an id that another instance told ahead waits for this one",
          "[realtime]") {
  const auto bus = std::make_shared<ScriptedBus>(true);
  Hub hub(bus);
  hub.connect(RedisEntryId{5, 0});
  const std::string& text = hub.join(1, "", "7-0");
  hub.turn_until([&] { return bus->reads == 1; });
  hub.hear({6, 0}, event_json(6));
  hub.turn_until([&] { return true; });
  CHECK(!hub.subscribers[1].live);
  hub.hear({7, 0}, event_json(7));
  hub.turn_until([&] { return hub.subscribers[1].live; });
  hub.hear({8, 0}, event_json(8));
  CHECK(text == kConnected + framed(8, "8-0"));
  hub.join(2, "", "99-0");
  hub.turn_until([&] { return bus->reads == 2; });
  hub.part(2);
  hub.hear({99, 0}, event_json(99));
  CHECK(hub.subscribers[2].text.empty());
}

TEST_CASE("realtime resume: what is gone, and an id of something else, is named", "[realtime]") {
  const auto bus = std::make_shared<ScriptedBus>(true);
  Hub hub(bus);
  hub.connect(RedisEntryId{5, 0});
  bus->past[{5, 0}] = event_json(5);
  bus->gap = "stream rt:stream was trimmed: entries after 2-0 may be gone";
  const std::string& text = hub.join(1, "", "2-0");
  hub.turn_until([&] { return hub.subscribers[1].live; });
  CHECK(text == kConnected + ": gap: " + bus->gap + "\n\n" + framed(5, "5-0"));
  CHECK(hub.join(2, "", "00000000-1x").find(": gap: \"00000000-1x\" is no id of this stream") !=
        std::string::npos);
  CHECK(hub.figures->not_resumed == 2);
}

TEST_CASE("realtime resume: after a gap nothing is asked for ever, and old ids are checked",
          "[realtime]") {
  const auto bus = std::make_shared<ScriptedBus>(true);
  Hub hub(bus);
  hub.connect(RedisEntryId{5, 0});
  hub.hear({6, 0}, event_json(6));
  hub.hear_gap("trimmed");
  hub.join(1, "", "6-0");
  hub.turn_until([&] { return hub.subscribers[1].live; });
  CHECK(bus->reads == 1);
  hub.hear({9, 0}, event_json(9));
  CHECK(hub.join(2, "", "9-0") == kConnected);
  hub.join(3, "", "6-0");
  hub.turn_until([&] { return hub.subscribers[3].live; });
  CHECK(bus->reads == 2);
  CHECK(hub.subscribers[3].text == kConnected + framed(9, "9-0"));
}

TEST_CASE("realtime resume: a transport that cannot be read ends the stream: come again",
          "[realtime]") {
  const auto bus = std::make_shared<ScriptedBus>(true);
  Hub hub(bus);
  hub.connect(RedisEntryId{5, 0});
  bus->refusal = {Code::unreachable, "cannot connect", ""};
  const std::string& text = hub.join(1, "", "2-0");
  hub.turn_until([&] { return hub.subscribers[1].ended; });
  CHECK(text == kConnected + ": cannot go on now, come again: after 2-0: cannot connect\n\n");
}

TEST_CASE("realtime resume: a long past comes in parts, each ending with where it stands",
          "[realtime]") {
  const auto bus = std::make_shared<ScriptedBus>(true);
  const std::string padding = R"(,"more":")" + std::string(100'000, 'x') + "\"";
  for (std::uint64_t n = 1; n <= 25; ++n) {
    bus->past[{n, 0}] = event_json(static_cast<int>(n), "t", padding);
  }
  Hub hub(bus);
  hub.connect(RedisEntryId{25, 0});
  std::string after = "1-0";
  std::string all;
  std::uint32_t number = 0;
  do {
    hub.join(++number, "", after);
    hub.turn_until([&] { return hub.subscribers[number].live || hub.subscribers[number].ended; });
    const std::string& text = hub.subscribers[number].text;
    CHECK(text.size() < 1'300'000);
    all += text;
    const std::size_t last = text.rfind("\nid: ");
    after = text.substr(last + 5, text.find('\n', last + 1) - last - 5);
  } while (hub.subscribers[number].ended);
  CHECK(number == 3);
  for (int n = 2; n <= 25; ++n) {
    const std::string frame = "\"data\":" + std::to_string(n) + ",";
    CHECK(all.find(frame) != std::string::npos);
    CHECK(all.find(frame) == all.rfind(frame));
  }
}

}  // namespace

// What every transport of realtime events promises: one suite, run over all four. The numbers are
// those of docs/realtime.md, "What holds".
#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "integration/patience.h"
#include "integration/realtime_place.h"
#include "pipe/realtime_intake.h"

namespace rt::test {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

// An instance of a server as far as its bus goes: tells what the bus brings and what is published
// on it, as the realtime board does.
class Instance {
 public:
  Instance(RealtimePlace& place, const std::string& name,
           std::unique_ptr<RealtimeBus> bus = nullptr)
      : bus_(bus != nullptr ? std::move(bus) : place.bus({{}, note_retries(), {}})),
        name_(name),
        intake_(name, !bus_->has_past()) {
    listening_ = std::jthread([this](const std::stop_token& stop) {
      const auto ended = bus_->run(stop, [this](RecordBatch& batch) -> Result<void> {
        for (std::size_t i = 0; i < batch.size(); ++i) take(batch[i]);
        return {};
      });
      ended_in_order_ = ended.has_value();
    });
  }
  ~Instance() { stop(); }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  bool wait_until_connected(Duration patience = 20s) {
    return eventually(patience, [&] { return bus_->status().connected; });
  }
  void stop() {
    if (!listening_.joinable()) return;
    listening_.request_stop();
    listening_.join();
    bus_->close();
    CHECK(ended_in_order_);
  }

  Result<void> publish(const std::string& type, const std::string& data,
                       const std::string& user = "") {
    std::string json;
    RealtimeEvent event{type, data};
    const std::string id = name_ + "-" + std::to_string(++published_);
    if (!user.empty()) event.user_id = user;
    event.id = id;
    event.origin = name_;
    REQUIRE(append_realtime_event(json, event));
    if (!bus_->has_past()) tell(json);
    return bus_->publish(type, json);
  }

  Strings told() const {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  // The data of what was told, once it holds `last`.
  Strings data_until(const std::string& last) const {
    Strings data;
    eventually(20s, [&] {
      data.clear();
      for (const std::string& json : told())
        data.push_back(nlohmann::json::parse(json)["data"].dump());
      return std::find(data.begin(), data.end(), last) != data.end();
    });
    return data;
  }
  std::size_t records() const { return records_; }
  std::size_t gaps() const { return gaps_; }
  std::vector<Duration> retries() const {
    const std::lock_guard lock(mutex_);
    return retries_;
  }
  const RealtimeIntake::Counts& counts() const { return intake_.counts(); }
  RealtimeBus& bus() { return *bus_; }

 private:
  std::function<void(const Error&, Duration, std::uint32_t)> note_retries() {
    return [this](const Error&, Duration delay, std::uint32_t) {
      const std::lock_guard lock(mutex_);
      retries_.push_back(delay);
    };
  }
  void take(const RecordView& record) {
    if (record.kind == RecordKind::gap) {
      ++gaps_;
      return;
    }
    ++records_;
    if (const auto heard = intake_.take(record)) tell(heard->event.json);
  }
  void tell(const std::string& json) {
    const std::lock_guard lock(mutex_);
    told_.push_back(json);
  }

  mutable std::mutex mutex_;
  Strings told_;
  std::vector<Duration> retries_;
  std::unique_ptr<RealtimeBus> bus_;
  const std::string name_;
  RealtimeIntake intake_;
  std::atomic<std::size_t> published_{0};
  std::atomic<std::size_t> records_{0};
  std::atomic<std::size_t> gaps_{0};
  std::atomic<bool> ended_in_order_{false};
  std::jthread listening_;
};

const char* each_transport() {
  return GENERATE("memory", "redis", "redis-stream", "postgres");
}
const char* each_server() {
  return GENERATE("redis", "redis-stream", "postgres");
}

TEST_CASE("1-5: one publish is one message, told once by each instance, and never sent on",
          "[realtime_contract]") {
  const std::string transport = each_transport();
  INFO(transport);
  const auto place = realtime_place(transport);
  Instance one(*place, "one");
  Instance two(*place, "two");
  Instance three(*place, "three");
  for (Instance* instance : {&one, &two, &three}) REQUIRE(instance->wait_until_connected());
  REQUIRE(one.publish("task-updated", "1"));
  place->put(R"({"type":"legacy","data":2,"timestamp":"2026-01-01T00:00:00Z"})");
  REQUIRE(two.data_until("2").size() == 2);
  REQUIRE(two.publish("task-updated", "3"));
  for (Instance* instance : {&one, &two, &three}) {
    CHECK(instance->data_until("3") == Strings{"1", "2", "3"});
    // Its own come back too.
    CHECK(eventually(10s, [&] { return instance->records() == 3; }));
  }
  CHECK(one.counts().own == 1);
  CHECK(three.counts().own == 0);
  CHECK(three.counts().heard == 3);
}

TEST_CASE("6-7: the bus carries the neutral event: type and user are for each instance to judge",
          "[realtime_contract]") {
  const std::string transport = each_transport();
  INFO(transport);
  const auto place = realtime_place(transport);
  Instance one(*place, "one");
  Instance two(*place, "two");
  REQUIRE((one.wait_until_connected() && two.wait_until_connected()));
  REQUIRE(one.publish("no-channel-of-the-plan", R"({"n":1.50,"s":"it's \u003c\n"})", "u1"));
  REQUIRE(one.publish("task-updated", "2"));
  REQUIRE(two.data_until("2").size() == 2);
  const auto event = nlohmann::json::parse(two.told()[0]);
  CHECK(event["type"] == "no-channel-of-the-plan");
  CHECK(event["userId"] == "u1");
  CHECK(event["data"]["s"] == "it's <\n");
  CHECK(two.told()[0].find("1.50") != std::string::npos);
  CHECK(!nlohmann::json::parse(two.told()[1]).contains("userId"));
}

TEST_CASE("8: bad payloads are counted and stop nothing", "[realtime_contract]") {
  const std::string transport = each_transport();
  INFO(transport);
  const auto place = realtime_place(transport);
  Instance one(*place, "one");
  REQUIRE(one.wait_until_connected());
  const std::vector<std::string> bad = {"nope",
                                        "{",
                                        "[]",
                                        "7",
                                        R"({"data":1})",
                                        R"({"type":"","data":1})",
                                        R"({"type":7,"data":1})",
                                        R"({"type":"t","data":1,"userId":7})",
                                        R"({"type":"t","data":1}})",
                                        "\"" + std::string(7'900, 'x'),
                                        std::string(3'000, '[')};
  for (const std::string& payload : bad) place->put(payload);
  place->put(R"({"type":"t", "data":"good", "userId":null, "type":"last"})");
  CHECK(one.data_until("\"good\"") == Strings{"\"good\""});
  CHECK(nlohmann::json::parse(one.told()[0])["type"] == "last");
  CHECK(one.counts().malformed == bad.size());
}

TEST_CASE(
    "8: what is larger than a notification can be is refused with a clear error, and the rest goes "
    "on",
    "[realtime_contract]") {
  const auto place = realtime_place("postgres");
  Instance one(*place, "one");
  Instance two(*place, "two");
  REQUIRE((one.wait_until_connected() && two.wait_until_connected()));
  const auto large = one.publish("t", "\"" + std::string(8'000, 'x') + "\"");
  REQUIRE(!large);
  CHECK(large.error().code == Code::usage);
  CHECK(large.error().text.find("too large for NOTIFY") != std::string::npos);
  REQUIRE(one.publish("t", "\"" + std::string(7'900, 'x') + "\""));
  CHECK(two.data_until("\"" + std::string(7'900, 'x') + "\"").size() == 1);
}

TEST_CASE(
    "9: the server is killed: publishing fails soon, pauses grow, and all goes on over one "
    "connection",
    "[realtime_contract]") {
  const std::string transport = each_server();
  INFO(transport);
  const auto place = realtime_place(transport);
  Instance one(*place, "one");
  Instance two(*place, "two");
  REQUIRE((one.wait_until_connected() && two.wait_until_connected()));
  REQUIRE(one.publish("t", "1"));
  REQUIRE(two.data_until("1").size() == 1);
  REQUIRE(place->kill());
  REQUIRE(eventually(20s, [&] { return two.retries().size() >= 4; }));
  const auto pauses = two.retries();
  CHECK(pauses[0] <= 200ms);
  CHECK(pauses[3] > pauses[0]);
  Result<void> sent;
  CHECK(time_of([&] { sent = one.publish("t", "2"); }) < 5s);
  REQUIRE(!sent);
  CHECK(sent.error().code == Code::unreachable);
  CHECK(!two.bus().status().reason.empty());
  place->restart();
  REQUIRE((one.wait_until_connected() && two.wait_until_connected()));
  CHECK(two.bus().status().reconnects == 1);
  REQUIRE(one.publish("t", "3"));
  CHECK(two.data_until("3") == Strings{"1", "3"});
  CHECK(two.gaps() == (place->keeps_past() ? 0 : 1));
  CHECK(place->connections() == 2);
}

TEST_CASE("9: what is added to the stream while an instance is cut off is told when it is back",
          "[realtime_contract]") {
  RedisPlace place("redis-stream");
  Instance one(place, "one");
  REQUIRE(one.wait_until_connected());
  place.put(R"({"type":"t","data":1})");
  REQUIRE(one.data_until("1").size() == 1);
  RedisConnection link = place.redis.connect();
  for (int round = 2; round <= 9; ++round) {
    REQUIRE(link.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}, "kill"));
    const std::string event = R"({"type":"t","data":)" + std::to_string(round) + "}";
    REQUIRE(link.command({"XADD", "rt:stream", "*", "data", event}, "add"));
  }
  CHECK(one.data_until("9") == Strings{"1", "2", "3", "4", "5", "6", "7", "8", "9"});
  CHECK(one.gaps() == 0);
  CHECK(eventually(10s, [&] { return place.connections() == 1; }));
}

TEST_CASE("10: a server that is away at the start is no hang: it is said, and mended by itself",
          "[realtime_contract]") {
  const std::string transport = each_server();
  INFO(transport);
  const auto place = realtime_place(transport);
  REQUIRE(place->kill());
  Instance one(*place, "one");
  REQUIRE(eventually(20s, [&] { return !one.bus().status().reason.empty(); }));
  CHECK(!one.bus().status().connected);
  Result<void> sent;
  CHECK(time_of([&] { sent = one.publish("t", "1"); }) < 5s);
  CHECK(!sent);
  place->restart();
  REQUIRE(one.wait_until_connected());
  Instance two(*place, "two");
  REQUIRE(two.wait_until_connected());
  REQUIRE(two.publish("t", "2"));
  REQUIRE(one.data_until("2").back() == "2");
  REQUIRE(one.publish("t", "3"));
  CHECK(one.data_until("3").back() == "3");
  CHECK(two.data_until("3") == Strings{"2", "3"});
}

TEST_CASE("12: a stopped instance tells nothing more, and its connection is gone",
          "[realtime_contract]") {
  const std::string transport = each_transport();
  INFO(transport);
  const auto place = realtime_place(transport);
  Instance one(*place, "one");
  Instance two(*place, "two");
  REQUIRE((one.wait_until_connected() && two.wait_until_connected()));
  REQUIRE(one.publish("t", "1"));
  REQUIRE(two.data_until("1").size() == 1);
  CHECK(time_of([&] { two.stop(); }) < 3s);
  REQUIRE(one.publish("t", "2"));
  CHECK(one.data_until("2").size() == 2);
  CHECK(two.told().size() == 1);
  CHECK(eventually(10s, [&] { return place->connections() <= 1; }));
}

TEST_CASE(
    "13-14: two publishers at once: each one's order is kept, nothing is lost, thousands a minute "
    "pass",
    "[realtime_contract]") {
  const std::string transport = each_transport();
  INFO(transport);
  constexpr int kEach = 1'000;
  const auto place = realtime_place(transport);
  Instance one(*place, "one");
  Instance two(*place, "two");
  Instance three(*place, "three");
  for (Instance* instance : {&one, &two, &three}) REQUIRE(instance->wait_until_connected());
  const auto publish_all = [&](Instance& instance, int sign) {
    return std::jthread([&instance, sign] {
      for (int i = 1; i <= kEach; ++i) {
        if (!instance.publish("t", std::to_string(sign * i))) return;
      }
    });
  };
  const Duration took = time_of([&] {
    std::jthread first = publish_all(one, 1);
    std::jthread second = publish_all(two, -1);
    first.join();
    second.join();
    CHECK(eventually(30s, [&] { return three.told().size() == 2 * kEach; }));
  });
  CHECK(took < 60s);
  for (Instance* instance : {&one, &two, &three}) {
    REQUIRE(eventually(10s, [&] { return instance->told().size() == 2 * kEach; }));
    int last_of_one = 0;
    int last_of_two = 0;
    for (const std::string& json : instance->told()) {
      const int n = nlohmann::json::parse(json)["data"];
      int& last = n > 0 ? last_of_one : last_of_two;
      REQUIRE(std::abs(n) == last + 1);
      ++last;
    }
  }
}

TEST_CASE("15: an event that comes by rt:all and by rt:<type> is told once",
          "[realtime_contract]") {
  RedisPlace place("redis");
  RealtimeBusOptions options = place.options();
  options.partitioned = true;
  Instance one(place, "one");
  Instance two(place, "two", *open_realtime_bus(options));
  REQUIRE((one.wait_until_connected() && two.wait_until_connected()));
  const RedisConnection link = place.redis.connect();
  const auto put = [&](const std::string& channel, const std::string& payload) {
    CHECK(place.redis.command({"PUBLISH", channel, payload}).integer == 2);
  };
  const std::string named = R"({"type":"t","data":1,"id":"i1","origin":"elsewhere"})";
  const std::string legacy = R"({"type":"t","data":2,"timestamp":"2026-01-01T00:00:00Z"})";
  for (const std::string& event : {named, legacy}) {
    put("rt:all", event);
    put("rt:t", event);
  }
  put("rt:all", legacy);  // once more, by the same channel: another event
  put("rt:team-assignment", R"({"type":"team-assignment","data":3})");
  REQUIRE(two.data_until("3").size() == 4);
  REQUIRE(two.publish("task-updated", "4"));  // on rt:task-updated
  REQUIRE(one.data_until("4").size() == 5);
  REQUIRE(one.publish("task-updated", "5"));
  CHECK(one.data_until("5") == Strings{"1", "2", "2", "3", "4", "5"});
  CHECK(two.data_until("5") == Strings{"1", "2", "2", "3", "4", "5"});
  CHECK(one.counts().repeated == 2);
}

// Of the past.

std::string add(const RedisPlace& place, int n) {
  const std::string event = R"({"type":"t","data":)" + std::to_string(n) + "}";
  return place.redis.command({"XADD", "rt:stream", "*", "data", event}).text;
}

struct Past {
  std::vector<std::string> ids;
  std::vector<std::string> gaps;
};

Past past_of(RealtimeBus& bus, const std::string& after, const std::string& until,
             std::size_t count = SIZE_MAX) {
  Past past;
  RealtimeIntake intake("reader", false);
  const auto read = bus.read_past(*RedisEntryId::parse(after), *RedisEntryId::parse(until),
                                  [&](const RecordView& record) {
                                    if (record.kind == RecordKind::gap)
                                      past.gaps.emplace_back(record.body);
                                    const auto heard = intake.take(record);
                                    if (heard) past.ids.push_back(heard->entry->text());
                                    return past.ids.size() < count;
                                  });
  INFO((read ? "" : read.error().text));
  CHECK(read);
  return past;
}

TEST_CASE("the past of the stream is read from an entry up to an entry, on any instance",
          "[realtime_contract]") {
  RedisPlace place("redis-stream");
  Strings ids;
  for (int i = 0; i < 200; ++i) ids.push_back(add(place, i));
  const auto bus = place.bus();
  const Past some = past_of(*bus, ids[9], ids[149]);
  CHECK(some.ids == Strings(ids.begin() + 10, ids.begin() + 150));
  CHECK(some.gaps.empty());
  CHECK(past_of(*bus, "0-0", ids.back()).ids == ids);
  CHECK(past_of(*bus, ids.back(), ids.back()).ids.empty());
  CHECK(past_of(*bus, ids[9], ids[149], 3).ids == Strings(ids.begin() + 10, ids.begin() + 13));
  bus->close();
  const auto closed =
      bus->read_past({}, *RedisEntryId::parse(ids[9]), [](const auto&) { return true; });
  REQUIRE(!closed);
  CHECK(closed.error().code == Code::cancelled);
}

TEST_CASE("a past that was trimmed, or a stream that was made anew, is a gap",
          "[realtime_contract]") {
  RedisPlace place("redis-stream");
  Strings ids;
  for (int i = 0; i < 20; ++i) ids.push_back(add(place, i));
  place.redis.command({"XTRIM", "rt:stream", "MAXLEN", "5"});
  const auto bus = place.bus();
  const Past trimmed = past_of(*bus, ids[2], ids.back());
  CHECK(trimmed.ids == Strings(ids.begin() + 15, ids.end()));
  REQUIRE(trimmed.gaps.size() == 1);
  CHECK(trimmed.gaps[0].find("was trimmed: entries after " + ids[2]) != std::string::npos);
  CHECK(past_of(*bus, ids[16], ids.back()).gaps.empty());
  place.redis.command({"DEL", "rt:stream"});
  const Past anew = past_of(*bus, ids.back(), ids.back());
  REQUIRE(anew.gaps.size() == 1);
  CHECK(anew.gaps[0].find("was lost or made anew") != std::string::npos);
}

TEST_CASE("a transport that lacks what it needs is refused in one line", "[realtime_contract]") {
  const auto refusal = [](RealtimeBusOptions options, Code code = Code::usage) {
    const auto opened = open_realtime_bus(options);
    REQUIRE(!opened);
    CHECK(opened.error().code == code);
    CHECK(!opened.error().hint.empty());
    return opened.error().text;
  };
  RealtimeBusOptions options;
  options.transport = "kafka";
  CHECK(refusal(options) == "there is no transport \"kafka\"");
  options.transport = "redis-stream";
  CHECK(refusal(options, Code::refused) == "transport redis-stream needs a Redis");
  options.transport = "Neon";
  CHECK(refusal(options, Code::refused) == "transport neon needs a database");
  options.dsn = "host=127.0.0.1";
  CHECK(open_realtime_bus(options));
  options.partitioned = true;
  CHECK(refusal(options) == "transport neon has no partitions");
}

}  // namespace
}  // namespace rt::test

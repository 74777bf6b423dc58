// What publishers put on the wire: topics over NOTIFY, events over Redis, the realtime transport.
#include <catch2/catch.hpp>

#include "proto/eventrail_envelope.h"
#include "proto/realtime_event.h"
#include "proto/topic_notify.h"

namespace rt::test {
namespace {

TEST_CASE("topics: the shard is FNV-1a of the lower-cased name, modulo the shards", "[envelopes]") {
  struct Row {
    const char* topic;
    std::uint32_t hash;
    std::uint32_t mod4, mod8, mod16, mod128, mod3;
  };
  const std::vector<Row> rows = {
      {"", 0x811c9dc5, 1, 5, 5, 69, 1},         {"a", 0xe40c292c, 0, 4, 12, 44, 1},
      {"alpha", 0x5d8b6dab, 3, 3, 11, 43, 2},   {"test-topic", 0xe50931d7, 3, 7, 7, 87, 1},
      {"topic-1", 0xc0c5048e, 2, 6, 14, 14, 1}, {"foobar", 0xbf9cf968, 0, 0, 8, 104, 1}};
  for (const Row& row : rows) {
    INFO(row.topic);
    CHECK(topic_hash(row.topic) == row.hash);
    const auto channel = [&](std::uint32_t n) { return "topic_broadcast_" + std::to_string(n); };
    CHECK(topic_channel(row.topic, 4) == channel(row.mod4));
    CHECK(topic_channel(row.topic, 8) == channel(row.mod8));
    CHECK(topic_channel(row.topic, 16) == channel(row.mod16));
    CHECK(topic_channel(row.topic, 128) == channel(row.mod128));
    CHECK(topic_channel(row.topic, 3) == channel(row.mod3));
  }
  CHECK(topic_hash("ALPHA") == topic_hash("alpha"));
}

TEST_CASE("topics: names are lower-cased, then checked", "[envelopes]") {
  CHECK(*topic_name("Order-1_x") == "order-1_x");
  CHECK(*topic_name("\xE2\x84\xAA") == "k");
  CHECK(topic_name(std::string(128, 'a')));
  for (const std::string& bad :
       {std::string(), std::string("a b"), std::string("a.b"), std::string("a/b"),
        std::string(129, 'a'), std::string("\xC3\xA4")}) {
    CHECK(topic_name(bad).error().code == Code::usage);
  }
}

TEST_CASE("topics: the envelope keeps key order, numbers, duplicates and escapes", "[envelopes]") {
  std::string out;
  REQUIRE(append_topic_envelope(out, "a", " {\"z\": 1.50e+3, \"a\":\"<&\\u2028\", \"z\" : 00}")
              .has_value() == false);  // 00 is no number
  CHECK(out.empty());
  REQUIRE(
      append_topic_envelope(out, "a", " { \"z\": 1.50e+3,\n \"a\":\"<&\\u2028\", \"z\" : 0 } "));
  CHECK(out == R"({"topic":"a","data":{"z":1.50e+3,"a":"<&\u2028","z":0}})");
}

TEST_CASE("topics: the limit counts the whole envelope", "[envelopes]") {
  const std::string quoted = '"' + std::string(7900 - 20 - 1 - 2, 'x') + '"';
  std::string out = "before";
  REQUIRE(append_topic_envelope(out, "a", quoted));
  CHECK(out.size() == 6 + 7900);
  out.resize(6);
  const auto large = append_topic_envelope(out, "ab", quoted);
  REQUIRE(!large);
  CHECK(large.error().text == "payload too large for NOTIFY (7901 > 7900)");
  CHECK(out == "before");
  CHECK(!append_topic_envelope(out, "a", "null"));
  CHECK(!append_topic_envelope(out, "a", "{"));
  CHECK(!append_topic_envelope(out, "a", ""));
  CHECK(out == "before");
}

TEST_CASE("events: a channel has a scope, its id and a topic", "[envelopes]") {
  const auto channel = parse_event_channel("gym:42:students");
  REQUIRE(channel);
  CHECK(channel->scope == "gym");
  CHECK(channel->scope_id == 42);
  CHECK(channel->topic == "students");
  CHECK(parse_event_channel("gym:1:a:b")->topic == "a:b");
  CHECK(parse_event_channel("my-gym_2:9223372036854775807:a/b")->scope_id == INT64_MAX);
}

TEST_CASE("events: any other channel is refused", "[envelopes]") {
  for (const char* bad : {"",
                          "gym",
                          "gym:1",
                          "gym:1:",
                          ":1:a",
                          "gym::a",
                          "gym:x:a",
                          "gym:1.5:a",
                          "gym:-1:a",
                          "gym: 1:a",
                          "gym:1:a b",
                          "gym:1:*",
                          "gym:1:a?",
                          "gym:1:[a]",
                          "gym:1:a\n",
                          "gym:1:a\tb",
                          "g*:1:a",
                          "gy m:1:a",
                          "gym:9223372036854775808:a",
                          "gym:1:\xFF",
                          "gym:1:a\\"}) {
    INFO(bad);
    const auto channel = parse_event_channel(bad);
    REQUIRE(!channel);
    CHECK(channel.error().code == Code::usage);
    CHECK(channel.error().text.find('\n') == std::string::npos);
    CHECK(!channel.error().hint.empty());
  }
}

TEST_CASE("events: the envelope, with and without data", "[envelopes]") {
  std::string out;
  REQUIRE(append_event_envelope(out, "students.changed", R"({"id": 123})"));
  CHECK(out == R"({"event_type":"students.changed","data":{"id":123}})");
  out.clear();
  REQUIRE(append_event_envelope(out, "a\"b", std::nullopt));
  CHECK(out == R"({"event_type":"a\"b"})");
  out.clear();
  CHECK(!append_event_envelope(out, "a", "{"));
  CHECK(out.empty());
  CHECK(check_event_type("students.changed"));
  CHECK(!check_event_type(""));
  CHECK(!check_event_type("a\nb"));
}

TEST_CASE("realtime: members stand in the order of the original", "[envelopes]") {
  RealtimeEvent event{"task-updated", R"({"id": 1})"};
  std::string out;
  REQUIRE(append_realtime_event(out, event));
  CHECK(out == R"({"type":"task-updated","data":{"id":1}})");
  out.clear();
  event.user_id = "u1";
  event.timestamp = from_unix_us(1'774'744'200'123'456);
  event.id = "i";
  event.origin = "o";
  REQUIRE(append_realtime_event(out, event));
  CHECK(out == R"({"type":"task-updated","data":{"id":1},"userId":"u1",)"
               R"("timestamp":"2026-03-29T00:30:00.123Z","id":"i","origin":"o"})");
  out.clear();
  event.data = "nope";
  CHECK(!append_realtime_event(out, event));
  event = {"", "1"};
  CHECK(!append_realtime_event(out, event));
  CHECK(out.empty());
}

TEST_CASE("realtime: what a transport brings is read as JavaScript reads it", "[envelopes]") {
  const auto event = parse_realtime_event(
      R"( {"type":"x", "data": {"n": 1.50}, "userId":"a\u0062", "ty\u0070e":"last", "id":"i",)"
      "\n"
      R"("origin":"o", "more":[]} )");
  REQUIRE(event);
  CHECK(event->type == "last");
  CHECK(event->user_id == "ab");
  CHECK(event->id == "i");
  CHECK(event->origin == "o");
  CHECK(event->json == R"({"type":"x","data":{"n":1.50},"userId":"a\u0062",)"
                       R"("ty\u0070e":"last","id":"i","origin":"o","more":[]})");
  for (const char* everybody : {R"({"type":"t"})", R"({"type":"t","userId":null,"id":7})",
                                R"({"type":"t","userId":"","origin":{}})"}) {
    INFO(everybody);
    const auto legacy = parse_realtime_event(everybody);
    REQUIRE(legacy);
    CHECK((legacy->user_id.empty() && legacy->id.empty() && legacy->origin.empty()));
  }
  for (const char* bad :
       {"", "null", "[]", R"("type")", R"({"type":""})", R"({"type":null})", R"({"type":["t"]})",
        R"({"type":"t","userId":7})", R"({"type":"t")", R"({"type":"\ud800"})"}) {
    INFO(bad);
    CHECK(!parse_realtime_event(bad));
  }
}

TEST_CASE("realtime: a post needs a type; its data keeps its spelling, without it is null",
          "[envelopes]") {
  const std::string body = R"({"type":"t", "data":{"n": 1.50}, "userId":"u", "origin":"forged"})";
  const auto post = parse_realtime_post(body);
  REQUIRE(post);
  CHECK(post->type == "t");
  CHECK(post->user_id == "u");
  CHECK(post->data == R"({"n": 1.50})");
  const std::string plain = R"({"type":"t"})";
  CHECK(parse_realtime_post(plain)->data == "null");
  const auto refusal = [](const std::string& bad) { return parse_realtime_post(bad).error().text; };
  CHECK(refusal("{") == "the body is no JSON object");
  CHECK(refusal("7") == "the body is no JSON object");
  CHECK(refusal("{}") == "type is missing or empty");
  CHECK(refusal(R"({"type":7})") == "type is no text");
  CHECK(refusal(R"({"type":"t","userId":{}})") == "userId is no text");
}

}  // namespace
}  // namespace rt::test

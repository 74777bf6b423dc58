#include "load/payload.h"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>

#include "load/payload_template.h"

namespace {

rt::Payload sample() {
  return {1'234'567'890'123, 42, 17, 2};
}

}  // namespace

TEST_CASE("payload: what is written is found, and has the size asked for", "[load][payload]") {
  std::string text;
  rt::append_payload(text, sample(), 256);
  CHECK(text.size() == 256);
  const auto found = rt::find_payload("{\"id\":\"run-1\",\"data\":" + text + "}");
  REQUIRE(found);
  CHECK(found->intended_ns == sample().intended_ns);
  CHECK(found->run == 42);
  CHECK(found->sequence == 17);
  CHECK(found->phase == 2);
}

TEST_CASE("payload: a value of the scenario's own comes last and counts towards the size",
          "[load][payload]") {
  std::string text;
  rt::append_payload(text, sample(), 200, {}, R"({"run":9,"seq":8,"at":7})");
  CHECK(text.size() == 200);
  CHECK_THAT(text, Catch::EndsWith(R"(x","value":{"run":9,"seq":8,"at":7}})"));
  const auto found = rt::find_payload(text);
  REQUIRE(found);
  CHECK(found->sequence == 17);
  text.clear();
  rt::append_payload(text, sample(), 1, {}, "null");
  CHECK_THAT(text, Catch::EndsWith(R"("step":2,"tail":"","value":null})"));
}

TEST_CASE("payload template: placeholders are filled in, a topic within its string",
          "[load][payload]") {
  const auto compiled = rt::PayloadTemplate::compile(
      R"({"run":"{topic}","seq":{seq},"t":{intended_ns},"again":[{seq}]})");
  REQUIRE(compiled);
  std::string text;
  compiled->append(text, "a\"b", 7, 123'456);
  CHECK(text == R"({"run":"a\"b","seq":7,"t":123456,"again":[7]})");
  CHECK(rt::PayloadTemplate().empty());
}

TEST_CASE("payload template: what is no JSON once filled in is refused", "[load][payload]") {
  CHECK(rt::PayloadTemplate::compile(R"({"run":"{topic}"})"));
  for (const char* wrong : {"", "{", R"({"run":{topic}})", R"({"n":{sqe}})", "{topic}"}) {
    INFO(wrong);
    CHECK_FALSE(rt::PayloadTemplate::compile(wrong));
  }
}

TEST_CASE("payload: a size too small for the figures does not cut them", "[load][payload]") {
  std::string text;
  rt::append_payload(text, sample(), 1);
  CHECK(text == R"({"at":1234567890123,"run":42,"seq":17,"step":2,"tail":""})");
}

TEST_CASE("payload: where a stream has several topics, it says which", "[load][payload]") {
  rt::Payload payload = sample();
  payload.topic = 7;
  std::string text;
  rt::append_payload(text, payload, 256);
  CHECK(text.size() == 256);
  CHECK_THAT(text, Catch::Contains(R"("step":2,"subj":7,"tail")"));
  CHECK(rt::find_payload(text)->topic == 7);
  std::string plain;
  rt::append_payload(plain, sample(), 256);
  CHECK(rt::find_payload(plain)->topic == rt::Payload::kNoTopic);
  CHECK(rt::find_payload(R"({"at": 5, "run": 1, "seq": 2, "step": 0, "subj": 3, "tail": ""})")
            ->topic == 3);
}

TEST_CASE("payload: found as jsonb writes it, with blanks", "[load][payload]") {
  const auto found = rt::find_payload(
      R"({"created_at":"2026-01-01","data":{"at": 5, "run": 1, "seq": 2, "step": 0, "tail": ""}})");
  REQUIRE(found);
  CHECK(found->intended_ns == 5);
  CHECK(found->sequence == 2);
}

TEST_CASE("payload: what only looks like one is passed over", "[load][payload]") {
  CHECK_FALSE(rt::find_payload(""));
  CHECK_FALSE(rt::find_payload(R"({"at":1})"));
  CHECK_FALSE(rt::find_payload(R"({"at":1,"run":2,"seq":-3,"step":0})"));
  CHECK_FALSE(rt::find_payload(R"({"at":1,"run":2,"seq":99999999999,"step":0})"));
  CHECK(rt::find_payload(R"({"at":"x"},{"at":1,"run":2,"seq":3,"step":0})"));
}

TEST_CASE("payload: cut anywhere inside the figures it is not found", "[load][payload]") {
  std::string text;
  rt::append_payload(text, sample(), 0);
  const std::size_t step = text.find("\"step\":");
  for (std::size_t size = 0; size <= step + 6; ++size) {
    CHECK_FALSE(rt::find_payload(std::string_view(text).substr(0, size)));
  }
}

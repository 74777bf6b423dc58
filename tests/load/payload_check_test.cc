#include "load/payload_check.h"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "load/json_sum.h"

using rt::Content;

namespace {

std::string checked(const std::string& value = {}, std::uint32_t topic = rt::Payload::kNoTopic) {
  std::string text;
  const rt::Payload payload{1'234'567'890'123, 42, 17, 2, topic};
  rt::append_payload(text, payload, 160, {0.5, 7}, value, /*checked=*/true);
  return text;
}

// Nothing: no payload was found.
std::optional<Content> judged(const std::string& text) {
  std::string_view rest;
  const auto payload = rt::find_payload(text, &rest);
  if (!payload) return std::nullopt;
  return rt::check_content(*payload, rest);
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  return text.replace(text.find(what), what.size(), with);
}

std::optional<std::uint64_t> sum(std::string_view text) {
  const auto taken = rt::take_json_sum(text);
  return text.empty() ? taken : std::nullopt;
}

}  // namespace

TEST_CASE("payload check: a payload has the size asked for, and is intact wherever it stands",
          "[load][payload]") {
  CHECK(checked().size() == 160);
  CHECK_THAT(checked(), Catch::Contains(R"("step":2,"sums":")"));
  CHECK(judged(checked()) == Content::intact);
  CHECK(judged(checked({}, 7)) == Content::intact);
  CHECK(judged("{\"data\":" + checked("[1]") + ",\"more\":1}") == Content::intact);
}

TEST_CASE(
    "payload check: any byte that is another one is noticed, and no damage is worse than that",
    "[load][payload]") {
  for (const std::string& whole : {checked(), checked({}, 7)}) {
    for (std::size_t at = 1; at < whole.size(); ++at) {
      for (const int bit : {1, 2, 4, 8, 16, 32, 64}) {
        std::string text = whole;
        text[at] = static_cast<char>(text[at] ^ bit);
        INFO(text);
        const auto content = judged(text);
        CHECK(content != Content::intact);
        CHECK((content || rt::has_sums(text)));
      }
      CHECK(judged(whole.substr(0, at)) != Content::intact);
    }
  }
}

TEST_CASE("payload check: what is wrong tells whether it is known which event this was",
          "[load][payload]") {
  CHECK(judged(replaced(checked(), "xxxx", "xxyx")) == Content::altered);
  CHECK(judged(replaced(checked("1"), "\"value\":1", "\"value\":2")) == Content::altered);
  CHECK(judged(replaced(checked("1"), ",\"value\":1", "")) == Content::altered);
  CHECK(judged(replaced(checked(), "\"seq\":17", "\"seq\":18")) == Content::mistaken);
  CHECK(judged(replaced(checked({}, 7), ",\"subj\":7", "")) == Content::mistaken);
  CHECK(judged(R"({"at":1,"run":2,"seq":3,"step":0,"tail":""})") == Content::unchecked);
}

TEST_CASE("payload check: blanks of jsonb, and a value that is spelled anew, change nothing",
          "[load][payload]") {
  std::string text = checked(R"({"a":[1,2.50,"é\n"],"b":null})");
  text = replaced(text, R"({"a":[1,2.50,"é\n"],"b":null})",
                  R"({"b": null, "a": [1.0, 25e-1, "\u00e9\u000a"]})");
  CHECK(judged(text) == Content::intact);
  for (std::size_t at = 0; (at = text.find_first_of(":,", at)) != std::string::npos; ++at) {
    const bool in_front = at < text.find("\"value\"");
    if (in_front && text[at + 1] != ' ') text.insert(at + 1, " ");
  }
  CHECK_THAT(text, Catch::Contains(R"("seq": 17, "step": 2, "sums": ")"));
  CHECK(judged(text) == Content::intact);
}

TEST_CASE("json sum: what is said otherwise has another sum", "[load][payload]") {
  const std::vector<std::string> values = {"1",
                                           "2",
                                           "-1",
                                           "1.5",
                                           "12345678901234567890",
                                           "12345678901234567891",
                                           "true",
                                           "false",
                                           "null",
                                           R"("1")",
                                           R"("true")",
                                           R"("")",
                                           "[]",
                                           "{}",
                                           "[1]",
                                           "[1,2]",
                                           "[2,1]",
                                           "[[1],2]",
                                           "[[1,2]]",
                                           R"({"a":1})",
                                           R"({"a":2})",
                                           R"({"b":1})",
                                           R"({"a":1,"b":2})",
                                           R"({"a":2,"b":1})",
                                           R"("é")",
                                           R"("e")"};
  for (std::size_t i = 0; i < values.size(); ++i) {
    INFO(values[i]);
    REQUIRE(sum(values[i]));
    for (std::size_t k = 0; k < i; ++k) {
      INFO(values[k]);
      CHECK(sum(values[i]) != sum(values[k]));
    }
  }
  CHECK(sum(R"("😀/")") == sum(R"("\ud83d\ude00\/")"));
  CHECK(sum("100") == sum("1e2"));
}

TEST_CASE("json sum: what is no JSON, or nested too deep, has none", "[load][payload]") {
  for (const char* text : {"", " ", "[", "[1", "[1,", "{", R"({"a")", R"({"a":})", R"({"a":1,)",
                           R"({1:2})", "\"", R"("\)", R"("\u12)", R"("\q")", "]"}) {
    INFO(text);
    CHECK_FALSE(sum(text));
  }
  CHECK(sum(std::string(64, '[') + std::string(64, ']')));
  CHECK_FALSE(sum(std::string(66, '[') + std::string(66, ']')));
}

TEST_CASE("json sum: another writer's spelling has the same sum", "[load][payload]") {
  rc::prop("escapes and order", [](const std::map<std::string, std::vector<int>>& members) {
    using Ordered = nlohmann::ordered_json;
    constexpr auto kRepair = Ordered::error_handler_t::replace;
    Ordered forth = Ordered::object();
    Ordered back = Ordered::object();
    for (auto it = members.begin(); it != members.end(); ++it) forth[it->first] = it->second;
    for (auto it = members.rbegin(); it != members.rend(); ++it) back[it->first] = it->second;
    const std::string plain = forth.dump(-1, ' ', false, kRepair);
    const std::string other = back.dump(2, ' ', true, kRepair);
    RC_ASSERT(sum(plain).has_value());
    RC_ASSERT(sum(plain) == sum(other));
  });
}

TEST_CASE("payload check: a number is the same however it is spelled", "[load][payload]") {
  const std::vector<std::vector<std::string>> same = {
      {"100000000000000000000", "1e20", "1E+20", "10.0e19", "0.1e21"},
      {"0.1", "1e-1", "0.10", "10E-2"},
      {"0", "-0", "0.000", "0e7", "-0.0e-3"},
      {"-12.5", "-125e-1", "-1.250E1"},
      {"123456789012345678901234567890", "123456789012345678901234567890.0"},
  };
  for (std::size_t i = 0; i < same.size(); ++i) {
    for (const std::string& spelling : same[i]) {
      CAPTURE(spelling);
      CHECK(sum(spelling) == sum(same[i].front()));
      for (std::size_t j = 0; j < i; ++j) CHECK(sum(spelling) != sum(same[j].front()));
    }
  }
  for (const char* other :
       {"1.2", "12", "120", "-12", "1", "0.12", "1e12", "2.1", "true", "null"}) {
    CAPTURE(other);
    CHECK(sum(other).has_value() == true);
    CHECK((sum(other) == sum("1.2")) == (std::string(other) == "1.2"));
  }
}

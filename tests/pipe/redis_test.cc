// The pure parts of reading Redis: ids, content, overlapping patterns, gaps.
#include <catch2/catch.hpp>

#include "pipe/redis_entry.h"
#include "pipe/redis_source.h"
#include "pipe/redis_stream_cursor.h"

namespace rt::test {
namespace {

std::string data_of(const std::string& id, const std::vector<archive::RedisField>& fields) {
  std::string payload;
  for (const auto& field : fields) archive::encode(payload, field);
  std::string out;
  REQUIRE(append_redis_data(out, {id, "k", payload}));
  return out;
}

TEST_CASE("redis entry: ids are ordered by number, not by text", "[pipe][redis]") {
  const auto id = [](std::string_view text) { return RedisEntryId::parse(text).value(); };
  CHECK(id("9-10") < id("10-9"));
  CHECK(id("9-9") < id("9-10"));
  CHECK(id("7") == id("7-0"));
  CHECK(id("18446744073709551615-1").text() == "18446744073709551615-1");
  CHECK(id("5-1").before().text() == "5-0");
  CHECK(id("5-0").before().text() == "4-18446744073709551615");
  CHECK(id("0-0").before().text() == "0-0");
  for (const char* bad : {"", "-", "1-", "-1", "$", "1-2-3", "1 - 2", "0x1-0"}) {
    INFO(bad);
    CHECK_FALSE(RedisEntryId::parse(bad));
  }
}

TEST_CASE("redis entry: the only field data or payload is the data, else all as JSON",
          "[pipe][redis]") {
  CHECK(data_of("1-1", {{"data", "{\"a\":  1}"}}) == "{\"a\":  1}");
  CHECK(data_of("1-1", {{"payload", ""}}).empty());
  CHECK(data_of("1-1", {{"Data", "x"}}) == R"({"Data":"x"})");
  CHECK(data_of("1-1", {{"data", "x"}, {"type", "q\"é"}}) == R"({"data":"x","type":"q\"é"})");
  CHECK(data_of("1-1", {{"b", "\xff"}}) == R"({"b":{"base64":"/w=="}})");
  CHECK(data_of("1-1", {}) == "{}");
  std::string out;
  REQUIRE(append_redis_data(out, {"", "channel", "exact \xff bytes"}));
  CHECK(out == "exact \xff bytes");
  CHECK_FALSE(append_redis_data(out, {"1-1", "k", "\x05only"}));
}

TEST_CASE("redis patterns: one message counts once, however many patterns match", "[pipe][redis]") {
  RedisOverlap overlap;
  std::string news;
  for (const RedisMessage& message :
       std::vector<RedisMessage>{{"a*", "ab", "1"},
                                 {"*b", "ab", "1"},
                                 {"a*", "ab", "1"},  // published again
                                 {"*b", "ab", "1"},
                                 {"*b", "ab", "2"},
                                 {"*b", "cb", "2"},
                                 {"*b", "cb", "2"}}) {
    news += overlap.is_repeated(message) ? '-' : 'n';
  }
  CHECK(news == "n-n-nnn");
  CHECK_FALSE(overlap.is_repeated({"", "x", "y"}));
  CHECK_FALSE(overlap.is_repeated({"", "x", "y"}));  // a channel: published twice
  CHECK(is_redis_pattern("a*"));
  CHECK(is_redis_pattern("a[b]"));
  CHECK_FALSE(is_redis_pattern("gym:1:students"));
}

TEST_CASE("redis cursor: what was trimmed, deleted or made anew is a gap", "[pipe][redis]") {
  const auto id = [](std::string_view text) { return RedisEntryId::parse(text).value(); };
  RedisStreamCursor cursor{"k", id("5-0"), true, {}};
  SECTION("nothing is missing") {
    CHECK_FALSE(cursor.check({id("9-0"), id("5-0"), id("4-0")}));
    CHECK_FALSE(cursor.check({id("9-0"), id("1-0"), std::nullopt}));
    CHECK_FALSE(cursor.check({id("5-0"), std::nullopt, std::nullopt}));  // trimmed, after reading
  }
  SECTION("trimmed") {
    CHECK(cursor.check({id("9-0"), id("7-0"), std::nullopt}));
    CHECK(cursor.check({id("9-0"), std::nullopt, std::nullopt}));
    cursor.is_entry = false;  // a time, of which nothing was promised
    CHECK_FALSE(cursor.check({id("9-0"), id("7-0"), std::nullopt}));
  }
  SECTION("deleted: told once") {
    CHECK(cursor.check({id("9-0"), id("5-0"), id("7-0")}));
    CHECK_FALSE(cursor.check({id("9-0"), id("5-0"), id("7-0")}));
    CHECK(cursor.check({id("9-0"), id("5-0"), id("8-0")}));
  }
  SECTION("made anew: from its beginning") {
    CHECK(cursor.check({id("3-0"), id("1-0"), std::nullopt}));
    CHECK(cursor.after == RedisEntryId());
    CHECK_FALSE(cursor.check({id("3-0"), id("1-0"), std::nullopt}));
  }
}

}  // namespace
}  // namespace rt::test

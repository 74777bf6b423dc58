#include "rtreplay/redact_rule.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "archive/fixture.h"

using namespace rt;
using namespace rt::rtreplay;

namespace {

struct Key {
  archive::testing::Scratch scratch;
  PseudonymKey key = PseudonymKey::of_file(scratch / "key", /*make=*/true).value();
};

RedactRule rule(const std::string& text) {
  const auto parsed = parse_redact_rule(text);
  INFO((parsed ? "" : parsed.error().text));
  REQUIRE(parsed);
  return *parsed;
}

}  // namespace

TEST_CASE("redact: a rule names a column, a message, or a member of a JSON value in it",
          "[redact]") {
  const RedactRule column = rule("/public.users/doc/address/a~1b=drop");
  CHECK(column.of == RedactRule::Of::column);
  CHECK(column.schema == "public");
  CHECK(column.table == "users");
  CHECK(column.column == "doc");
  CHECK(column.members == std::vector<std::string>{"address", "a/b"});
  CHECK(column.act == RedactRule::Act::drop);
  const RedactRule message = rule("message:au~1dit/user=hash");
  CHECK(message.of == RedactRule::Of::message);
  CHECK(message.prefix == "au/dit");
  CHECK(message.members == std::vector<std::string>{"user"});
  CHECK(message.matches(pgoutput::LogicalMessage{0, 0, "au/dit", ""}));
  CHECK_FALSE(message.matches(pgoutput::LogicalMessage{0, 0, "other", ""}));
  CHECK(rule("message:*=drop").matches(pgoutput::LogicalMessage{0, 0, "any", ""}));
  pgoutput::CachedRelation any;
  any.name = "t";
  CHECK(rule("/*/mail=hash").matches(any));
  CHECK_FALSE(rule("message:*=drop").matches(any));
  for (const char* bad : {"", "/t=hash", "t/c=hash", "/t/c", "/t/c=keep", "message:=drop",
                          "message:p", "/message:p=drop"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_redact_rule(bad));
  }
}

TEST_CASE("redact: members of JSON values, also inside arrays; all else stays as it was written",
          "[redact]") {
  const Key key;
  const auto redacted = [&](const std::string& json, const std::string& pointer) {
    return redact_json(json, rule("/t/c" + pointer), key.key);
  };
  CHECK(redacted(R"({"a": 1.10, "b":{"c" : "x"}})", "/b/c=drop") ==
        R"({"a": 1.10, "b":{"c" : null}})");
  CHECK(redacted(R"({"l": [{"c":"x"}, 7 , [{"c":"y", "d":1}]]})", "/l/c=drop") ==
        R"({"l": [{"c":null}, 7 , [{"c":null, "d":1}]]})");
  CHECK(redacted(R"([{"c":"x"},{}])", "/c=drop") == R"([{"c":null},{}])");
  CHECK(redacted(R"([ ])", "/c=drop") == "[ ]");
  CHECK(redacted(R"({"\u0063":"x","c":"y"})", "/c=drop") == R"({"\u0063":null,"c":null})");
  CHECK(redacted(R"("c")", "/c=drop") == R"("c")");
  const std::string hashed = redacted(R"({"c":"x"})", "/c=hash");
  CHECK(hashed.size() == 8 + 16);
  CHECK(hashed == redacted(R"({"c":"x"})", "/c=hash"));
}

TEST_CASE("redact: the content of a message is left out where its members cannot be told",
          "[redact]") {
  const Key key;
  const auto redacted = [&](const std::string& content, const std::string& how) {
    return redact_content(content, rule("message:p" + how), key.key);
  };
  CHECK(redacted("any bytes", "=drop").empty());
  CHECK(redacted("any bytes", "=hash").size() == 16);
  CHECK(redacted(R"({"a":1,"b":2})", "/a=drop") == R"({"a":null,"b":2})");
  CHECK(redacted("mail=ann@x", "/a=drop").empty());
  CHECK(redacted(R"({"a":"ann@x")", "/a=drop").empty());
}

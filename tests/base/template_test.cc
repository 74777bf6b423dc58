// Placeholders of messages that rtctl publish sends.
#include "base/template.h"

#include <catch2/catch.hpp>
#include <set>

namespace rt::test {
namespace {

std::string expanded(std::string_view text, const TemplateValues& values, std::uint64_t seed = 1) {
  const auto made = Template::compile(text);
  REQUIRE(made);
  Random random(seed);
  std::string out;
  made->expand(out, values, random);
  return out;
}

TemplateValues sample() {
  TemplateValues values;
  values.number = 42;
  values.now = from_unix_us(1'774'744'200'123'456);
  values.line = "say \"hi\"\t";
  Random random(7);
  values.uuid = random_uuid(random);
  return values;
}

TEST_CASE("template: each placeholder stands for its value", "[template]") {
  CHECK(expanded("{{n}}", sample()) == "42");
  CHECK(expanded("a {{ n }} b{{n}}", sample()) == "a 42 b42");
  CHECK(expanded("{{now}}", sample()) == "2026-03-29T00:30:00.123Z");
  CHECK(expanded("{{now_ms}}", sample()) == "1774744200123");
  CHECK(expanded("{{line}}", sample()) == "say \"hi\"\t");
  CHECK(expanded("{\"t\":{{line_json}}}", sample()) == R"({"t":"say \"hi\"\t"})");
  CHECK(expanded("{\"a\":{\"n\":{{n}}}}", sample()) == R"({"a":{"n":42}})");
}

TEST_CASE("template: JSON is text", "[template]") {
  for (const char* json : {R"({"a":{"b":1}})", R"([[{"a":{}}],{}])", "{}", "", R"("}}")"}) {
    const auto made = Template::compile(json);
    REQUIRE(made);
    CHECK(!made->has_placeholders());
    CHECK(expanded(json, sample()) == json);
  }
}

TEST_CASE("template: a number at random keeps to its bounds, both included", "[template]") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    seen.insert(expanded("{{rand -1 1}}", sample(), seed));
  }
  CHECK(seen == std::set<std::string>{"-1", "0", "1"});
  CHECK(expanded("{{rand 5 5}}", sample()) == "5");
  expanded("{{rand -9223372036854775808 9223372036854775807}}", sample());
  CHECK(expanded("{{rand 0 1000000}}", sample(), 3) == expanded("{{rand 0 1000000}}", sample(), 3));
}

TEST_CASE("template: a uuid is of version 4, and one message has one", "[template]") {
  Random random(1);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto uuid = random_uuid(random);
    const std::string text(uuid.begin(), uuid.end());
    CHECK(text.find_first_not_of("0123456789abcdef-") == std::string::npos);
    CHECK(text[14] == '4');
    CHECK(std::string("89ab").find(text[19]) != std::string::npos);
    seen.insert(text);
  }
  CHECK(seen.size() == 1000);
  const std::string twice = expanded("{{uuid}}{{uuid}}", sample());
  CHECK(twice.substr(0, 36) == twice.substr(36));
}

TEST_CASE("template: what is unknown or unfinished is a usage error that says what to do",
          "[template]") {
  for (const char* text : {"{{x}}", "{{nwo}}", "{{", "{{n", "{{}}", "{{n 1}}", "{{rand}}",
                           "{{rand 1}}", "{{rand 2 1}}", "{{rand a b}}", "{{rand 1 2 3}}"}) {
    const auto made = Template::compile(text);
    INFO(text);
    REQUIRE(!made);
    CHECK(made.error().code == Code::usage);
    CHECK(!made.error().hint.empty());
  }
  CHECK(Template::compile("{{uuld}}").error().hint.find("{{uuid}}") != std::string::npos);
}

TEST_CASE("template: verbatim leaves all braces alone", "[template]") {
  const Template made = Template::verbatim("{{name}}");
  Random random(1);
  std::string out;
  made.expand(out, sample(), random);
  CHECK(out == "{{name}}");
  CHECK(!made.uses_line());
}

TEST_CASE("template: a buffer that is large enough is not replaced", "[template]") {
  const auto made =
      Template::compile("{{n}} {{uuid}} {{now}} {{now_ms}} {{rand 1 9}} {{line_json}}");
  REQUIRE(made);
  CHECK(made->uses_line());
  Random random(1);
  std::string out;
  out.reserve(1024);
  const char* before = out.data();
  for (int i = 0; i < 100; ++i) {
    out.clear();
    made->expand(out, sample(), random);
  }
  CHECK(out.data() == before);
}

}  // namespace
}  // namespace rt::test

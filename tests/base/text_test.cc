#include "base/text.h"

#include <catch2/catch.hpp>

namespace rt {
namespace {

TEST_CASE("markup: text is text", "[text]") {
  std::string out;
  append_markup_text(out, "<a href='x'>\"&\"</a>");
  CHECK(out == "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/a&gt;");
}

TEST_CASE("text: base64 is that of RFC 4648, section 10", "[text]") {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"},
                                                                   {"\xff\xfe\xfd", "//79"}};
  for (const auto& [bytes, expected] : vectors) {
    std::string out = ">";
    append_base64(out, bytes);
    CHECK(out == ">" + std::string(expected));
  }
}

TEST_CASE("text: a JSON string escapes what must be, wherever it stands in a word of eight",
          "[text]") {
  const std::pair<std::string, std::string> specials[] = {
      {"\"", "\\\""},           {"\\", "\\\\"},           {"\n", "\\n"},
      {"\x01", "\\u0001"},      {"\x1f", "\\u001f"},      {"\x7f", "\x7f"},
      {"\xc3\xa4", "\xc3\xa4"}, {"\xff", "\xef\xbf\xbd"}, {" ", " "}};
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::size_t after = 0; after < 20; ++after) {
      for (const auto& [special, escaped] : specials) {
        const std::string head(before, '!');
        const std::string tail(after, '[');
        std::string out;
        append_json_string(out, head + special + tail);
        CHECK(out == "\"" + head + escaped + tail + "\"");
        CHECK(is_valid_utf8(head + special + tail) == (special != "\xff"));
      }
    }
  }
}

TEST_CASE("text: a suggestion is near, or there is none", "[text]") {
  constexpr std::string_view kWords[] = {"format", "filter", "count"};
  CHECK(nearest("fromat", kWords) == "format");
  CHECK(nearest("cuont", kWords) == "count");
  CHECK_FALSE(nearest("subscribe", kWords));
}

}  // namespace
}  // namespace rt

#include "base/text.h"

#include <catch2/catch.hpp>

namespace rt {
namespace {

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

TEST_CASE("text: a suggestion is near, or there is none", "[text]") {
  constexpr std::string_view kWords[] = {"format", "filter", "count"};
  CHECK(nearest("fromat", kWords) == "format");
  CHECK(nearest("cuont", kWords) == "count");
  CHECK_FALSE(nearest("subscribe", kWords));
}

}  // namespace
}  // namespace rt

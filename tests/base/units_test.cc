#include "base/units.h"

#include <catch2/catch.hpp>

namespace rt {
namespace {

TEST_CASE("units: times are written alike whatever was written before", "[units]") {
  // Back and forth over a second's end, before 1970 and at a leap day.
  const std::pair<std::int64_t, std::string_view> times[] = {
      {1'774'744'200'123'456, "2026-03-29T00:30:00.123456Z"},
      {1'774'744'200'999'999, "2026-03-29T00:30:00.999999Z"},
      {1'774'744'201'000'000, "2026-03-29T00:30:01.000000Z"},
      {1'774'744'200'000'001, "2026-03-29T00:30:00.000001Z"},
      {0, "1970-01-01T00:00:00.000000Z"},
      {-1, "1969-12-31T23:59:59.999999Z"},
      {1'709'209'845'500'000, "2024-02-29T12:30:45.500000Z"}};
  for (const auto& [us, text] : times) {
    CHECK(format_rfc3339(from_unix_us(us)) == text);
    CHECK(*parse_rfc3339(text) == from_unix_us(us));
  }
  CHECK(format_rfc3339_ms(from_unix_us(1'774'744'200'123'999)) == "2026-03-29T00:30:00.123Z");
}

TEST_CASE("units: a bare number is refused where a unit matters", "[units]") {
  CHECK(*parse_duration("1.5s") == std::chrono::milliseconds(1500));
  CHECK(*parse_duration("0") == Duration::zero());
  CHECK_FALSE(parse_duration("5"));
  CHECK(*parse_count("400k") == 400'000);
  CHECK(*parse_bytes("64KiB") == 65'536);
  CHECK_FALSE(parse_bytes("64"));
  CHECK(*parse_rate("30/m") == 0.5);
  CHECK_FALSE(parse_rate("30"));
}

}  // namespace
}  // namespace rt

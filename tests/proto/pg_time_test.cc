#include "proto/pg_time.h"

#include <rapidcheck/catch.h>

#include "base/clock.h"
#include "base/units.h"

using namespace rt;

TEST_CASE("pg time: PostgreSQL's texts are the instants it means", "[proto][pg_time]") {
  CHECK(parse_pg_timestamp_us("1970-01-01 00:00:00+00") == 0);
  CHECK(parse_pg_timestamp_us("2000-01-01 00:00:00") == kPostgresEpochOffsetUs);
  CHECK(parse_pg_timestamp_us("2025-06-01 00:00:00+00") == 1'748'736'000'000'000);
  CHECK(parse_pg_timestamp_us("2025-06-01T00:00:00Z") == 1'748'736'000'000'000);
  CHECK(parse_pg_timestamp_us("2025-06-01 02:00:00.5+02") == 1'748'736'000'500'000);
  CHECK(parse_pg_timestamp_us("2025-06-01 05:30:00.000001+05:30") == 1'748'736'000'000'001);
  CHECK(parse_pg_timestamp_us("2025-05-31 15:00:00-09") == 1'748'736'000'000'000);
  CHECK(parse_pg_timestamp_us("1937-01-01 00:19:32+00:19:32") == -1'041'379'200'000'000);
  CHECK(parse_pg_timestamp_us("1969-12-31 23:59:59.999999") == -1);
  CHECK(parse_pg_timestamp_us("0001-01-01 00:00:00") == -62'135'596'800'000'000);
  CHECK(parse_pg_timestamp_us("294247-01-10 04:00:53.999999") == 9'223'372'036'853'999'999);
  CHECK(parse_pg_timestamp_us("2024-02-29 00:00:00") == 1'709'164'800'000'000);
}

TEST_CASE("pg time: what is no such instant is none", "[proto][pg_time]") {
  for (const char* text : {"",
                           "infinity",
                           "-infinity",
                           "0044-03-15 12:00:00 BC",
                           "0044-03-15 12:00:00+00 BC",
                           "2025-06-01",
                           "0000-01-01 00:00:00",
                           "2025-13-01 00:00:00",
                           "2025-00-01 00:00:00",
                           "2025-06-00 00:00:00",
                           "2025-06-31 00:00:00",
                           "2025-02-29 00:00:00",
                           "1900-02-29 00:00:00",
                           "2025-06-01 24:00:00",
                           "2025-06-01 00:60:00",
                           "2025-06-01 00:00:60",
                           "2025-06-01 00:00:00.",
                           "2025-06-01 00:00:00.1234567",
                           "2025-06-01 00:00:00+2",
                           "2025-06-01 00:00:00+16",
                           "2025-06-01 00:00:00+00 x",
                           "2025-6-1 00:00:00",
                           "29.03.2026 01:30:00",
                           "2025-06-01 00:00:00 ",
                           " 2025-06-01 00:00:00",
                           "999999-01-01 00:00:00",
                           "294276-12-31 23:59:59.999999",
                           "294247-01-10 04:00:54"}) {
    INFO(text);
    CHECK_FALSE(parse_pg_timestamp_us(text));
  }
}

TEST_CASE("pg time: it is the inverse of our own formatting", "[proto][pg_time]") {
  rc::prop("round trip", [] {
    const auto us =
        *rc::gen::inRange<std::int64_t>(-62'135'596'800'000'000, 253'402'300'800'000'000);
    RC_ASSERT(parse_pg_timestamp_us(format_rfc3339(from_unix_us(us))) == us);
  });
}

#include "proto/http_date.h"

#include <catch2/catch.hpp>

using namespace rt;
using namespace std::chrono_literals;

TEST_CASE("http date: the three spellings name the same instant", "[proto][http1]") {
  const WallTime expected{784'111'777s};
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == expected);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == expected);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994") == expected);
}

TEST_CASE("http date: what is not a date is refused", "[proto][http1]") {
  for (const char* text :
       {"", "Sun", "Sun, 31 Feb 2020 00:00:00 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 CET", "1994-11-06T08:49:37Z", "Sun, -6 Nov 1994 08:49:37 GMT"}) {
    INFO(text);
    CHECK_FALSE(parse_http_date(text));
  }
}

TEST_CASE("http date: Retry-After is seconds or a date, never negative, at most a day",
          "[proto][http1]") {
  const WallTime now{784'111'777s};
  CHECK(parse_retry_after("120", now) == Duration(120s));
  CHECK(parse_retry_after(" 0 ", now) == Duration(0s));
  CHECK(parse_retry_after("99999999999999999999999", now) == Duration(24h));
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:50:00 GMT", now) == Duration(23s));
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now) == Duration(0s));
  CHECK(parse_retry_after("Sun, 06 Nov 2094 08:00:00 GMT", now) == Duration(24h));
  CHECK_FALSE(parse_retry_after("", now));
  CHECK_FALSE(parse_retry_after("-5", now));
  CHECK_FALSE(parse_retry_after("1.5", now));
}

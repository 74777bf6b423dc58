#include "pg/cron_check.h"

#include <catch2/catch.hpp>

namespace rt {
namespace {

TEST_CASE("cron: what cron-parser evaluates is taken", "[pg]") {
  for (const char* good :
       {"* * * * *", "*/5 * * * *", "0 7 * * mon-fri", "0 0 1,15 JAN,jul *", "59 23 31 12 7",
        "0 12 L * ?", "0 0 * * 5L", "0 0 * * 5#2", "30 0 4 ? * 1", "10-20/2 1-3,5 * * *",
        "5/15 * * * *", "0 0 29 2 *", "0 0 31 1-3 *", "@yearly", "@hourly", "  0  0 * * * "}) {
    INFO(good);
    CHECK(check_cron(good));
  }
}

TEST_CASE("cron: what it does not is refused with the field at fault", "[pg]") {
  for (const auto& [bad, why] : std::initializer_list<std::pair<const char*, const char*>>{
           {"", "0 fields"},
           {"* * * *", "4 fields"},
           {"* * * * * * *", "7 fields"},
           {"60 * * * *", "minute \"60\" is not within 0 to 59"},
           {"* 24 * * *", "hour"},
           {"* * 0 * *", "day of the month"},
           {"* * * 13 *", "month"},
           {"* * * foo *", "month \"foo\""},
           {"* * * * 8", "day of the week"},
           {"*/0 * * * *", "step"},
           {"*/x * * * *", "step"},
           {"5-1 * * * *", "ends before it begins"},
           {"1,,2 * * * *", "empty place"},
           {"? * * * *", "minute"},
           {"* * * * 5#6", "week of 1 to 5"},
           {"* * 5L * *", "no last day"},
           {"0 0 31 2 *", "does not exist"},
           {"0 0 31 2,4 *", "does not exist"},
           {"-1 * * * *", "minute"},
           {"@reboot", "1 fields"},
           {"FREQ=DAILY", "1 fields"}}) {
    const auto checked = check_cron(bad);
    INFO(bad);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == Code::usage);
    CHECK(checked.error().text.find(why) != std::string::npos);
  }
}

}  // namespace
}  // namespace rt

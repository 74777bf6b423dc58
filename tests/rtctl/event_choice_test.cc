// Which events are shown, as what, and where a subscription begins: pure parts.
#include <catch2/catch.hpp>

#include "rtctl/cursor_file.h"
#include "rtctl/event_dump.h"
#include "rtctl/event_filter.h"
#include "rtctl/event_template.h"
#include "rtctl/server_urls.h"
#include "rtctl/since.h"
#include "rtctl/status_line.h"

namespace rt::rtctl {
namespace {

bool passes(const std::vector<std::string>& conditions, std::string_view data) {
  const auto filter = EventFilter::parse(conditions);
  REQUIRE(filter);
  return filter->matches(data);
}

TEST_CASE("filter: numbers compare as numbers, texts by bytes, types never mix",
          "[rtctl][filter]") {
  const std::string_view data =
      R"({"status":"running","seq":10,"tags":["a","b"],"user":{"id":"u/1"},"done":false,"x":null})";
  CHECK(passes({"/status = running"}, data));
  CHECK(passes({"status=running"}, data));
  CHECK(passes({"/status == \"running\""}, data));
  CHECK_FALSE(passes({"/status = Running"}, data));
  CHECK(passes({"/seq >= 10"}, data));
  CHECK_FALSE(passes({"/seq > 10"}, data));
  CHECK(passes({"/seq < 9.5e1"}, data));
  CHECK_FALSE(passes({"/seq = \"10\""}, data));
  CHECK_FALSE(passes({"/status > 3"}, data));
  CHECK(passes({"/status > a"}, data));
  CHECK(passes({"/status ~ unn"}, data));
  CHECK(passes({"/tags ~ b"}, data));
  CHECK_FALSE(passes({"/tags ~ c"}, data));
  CHECK(passes({"/user/id = u/1"}, data));
  CHECK(passes({"/tags/0 = a"}, data));
  CHECK(passes({"/done = false"}, data));
  CHECK(passes({"/x = null"}, data));
  CHECK(passes({"/x exists"}, data));
  CHECK_FALSE(passes({"/y exists"}, data));
}

TEST_CASE("filter: all conditions hold; what is not there meets only !=", "[rtctl][filter]") {
  CHECK(passes({"/a = 1", "/b = 2"}, R"({"a":1,"b":2})"));
  CHECK_FALSE(passes({"/a = 1", "/b = 3"}, R"({"a":1,"b":2})"));
  CHECK(passes({"/c != 1"}, R"({"a":1})"));
  CHECK(passes({"/c != 1"}, "no json"));
  CHECK_FALSE(passes({"/c = 1"}, "no json"));
  CHECK(passes({"/ = 5"}, "5"));
}

TEST_CASE("filter: what cannot be read is usage, with an example", "[rtctl][filter]") {
  for (const char* bad : {"", "= 3", "/a", "/a is 3", "/a~b~ = 1"}) {
    INFO(bad);
    const auto filter = EventFilter::parse({bad});
    // "/a~b~ = 1" reads as pointer /a, has "b~ = 1": that is a condition.
    if (std::string_view(bad) == "/a~b~ = 1") {
      CHECK(filter);
      continue;
    }
    REQUIRE_FALSE(filter);
    CHECK(filter.error().code == Code::usage);
    CHECK(filter.error().hint.find("--filter") != std::string::npos);
  }
}

TEST_CASE("template: fields, pointers, escapes and braces", "[rtctl][template]") {
  ShownEvent event;
  event.received = from_unix_us(1'774'744'200'123'456);
  event.event = "delta";
  event.id = "7";
  event.topic = "t";
  event.data = R"({"a":{"b":"text"},"n":[1,2]})";
  event.latency_ms = 1.25;
  const auto line = [&](std::string_view text) {
    const auto made = EventTemplate::parse(text);
    REQUIRE(made);
    std::string out;
    made->append(out, event, 3);
    return out;
  };
  CHECK(line("{n} {recv} {event}/{id}@{topic} {lat_ms}") ==
        "3 2026-03-29T00:30:00.123456Z delta/7@t 1.250");
  CHECK(line("{/a/b}|{/n}|{/n/1}|{/none}|{delta_ms}") == "text|[1,2]|2||");
  CHECK(line(R"({{{id}}}\t\\\0.)") == std::string("{7}\t\\\0.", 7));
  CHECK(line("{data}") == event.data);
}

TEST_CASE("template: an unknown field is usage, with the one that was meant", "[rtctl][template]") {
  const auto unknown = EventTemplate::parse("{evnt}");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == Code::usage);
  CHECK(unknown.error().hint == "did you mean {event}?");
  CHECK_FALSE(EventTemplate::parse("{id"));
  CHECK_FALSE(EventTemplate::parse("{/a~b}"));
}

TEST_CASE("since: words, durations, times; everything else is an id", "[rtctl][since]") {
  const WallTime now = from_unix_us(1'000'000'000'000);
  using Kind = Since::Kind;
  CHECK(parse_since("", now)->kind == Kind::unset);
  CHECK(parse_since("begin", now)->kind == Kind::begin);
  CHECK(parse_since("end", now)->kind == Kind::end);
  CHECK(parse_since("15m", now)->time == now - std::chrono::minutes(15));
  CHECK(unix_us(parse_since("1970-01-01T00:00:01Z", now)->time) == 1'000'000);
  CHECK(parse_since("0", now)->kind == Kind::id);
  CHECK(parse_since("42", now)->id == "42");
  CHECK(parse_since("000000014D7E3B28-00000002", now)->id == "000000014D7E3B28-00000002");
  CHECK_FALSE(parse_since("2999-01-01T00:00:00Z", now));
  CHECK_FALSE(parse_since("a\nb", now));
}

TEST_CASE("urls: names are checked or encoded, one surface each", "[rtctl][urls]") {
  CHECK(*topic_url("http://h/", "Orders_1") == "http://h/topics/orders_1/events");
  CHECK_FALSE(topic_url("http://h", "a/b"));
  CHECK_FALSE(topic_url("http://h", ""));
  CHECK_FALSE(topic_url("http://h", std::string(129, 'a')));
  CHECK(*events_url("http://h", "") == "http://h/events");
  CHECK(*events_url("http://h", "gym:1") == "http://h/events?scope=gym&scope_id=1");
  CHECK_FALSE(events_url("http://h", "gym"));
  CHECK(*realtime_url("http://h", {}) == "http://h/realtime");
  CHECK(*realtime_url("http://h", {"a", "b c"}) == "http://h/realtime?events=a,b%20c");
  CHECK_FALSE(realtime_url("http://h", {"a,b"}));
  CHECK(*job_url("http://h", "a/b") == "http://h/jobs/a%2Fb/stream");
}

TEST_CASE("cursor: what is written is read again; anything else is refused", "[rtctl][state]") {
  const Cursor cursor{"http://h/\"x\"", "id \xc3\xa4", 123};
  const auto again = parse_cursor(cursor_json(cursor), "state");
  REQUIRE(again);
  CHECK(again->stream == cursor.stream);
  CHECK(again->id == cursor.id);
  CHECK(again->output_bytes == 123u);
  CHECK_FALSE(parse_cursor(cursor_json({"s", "", {}}), "state")->output_bytes);
  for (const char* bad :
       {"", "{}", "[1]", R"({"v":2,"stream":"s","id":"1"})", R"({"v":1,"id":"1"})"}) {
    INFO(bad);
    const auto refused = parse_cursor(bad, "state");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Code::usage);
  }
}

TEST_CASE("dump: a file's name is made of number, event and id, and stays inside its folder",
          "[rtctl][dump]") {
  ShownEvent event;
  event.event = "../x y";
  event.id = "a/b";
  CHECK(dump_name(event, 7) == "00000007-.._x_y-a_b");
  const std::string long_id(500, 'i');
  event.id = long_id;
  CHECK(dump_name(event, 7).size() == 120);
}

TEST_CASE("status line: says the state, never wider than the terminal", "[rtctl][status]") {
  CHECK(status_text({}, 80) == "connecting  0 events");
  Status busy{LinkState::connected, 1200, 3.25, std::chrono::seconds(75)};
  CHECK(status_text(busy, 80) == "connected  1 200 events  3.2/s  last 1m15s ago");
  CHECK(status_text(busy, 20).size() == 19);
}

}  // namespace
}  // namespace rt::rtctl

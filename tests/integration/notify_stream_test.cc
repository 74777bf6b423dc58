// Notifications as a source of rtctl, on a real PostgreSQL.
#include "rtctl/notify_stream.h"

#include <catch2/catch.hpp>

#include "integration/patience.h"
#include "integration/private_postgres.h"
#include "integration/taker_log.h"

namespace rt::test {
namespace {

using Lines = std::vector<std::string>;

rtctl::NotifyStreamOptions listen_to(const PrivatePostgres& postgres, Lines channels) {
  return {postgres.dsn(), std::move(channels), {}};
}

void notify(const PrivatePostgres& postgres, const std::string& channel,
            const std::string& payload) {
  Connection connection = postgres.connect();
  const auto sent =
      connection.query("SELECT pg_notify($1, $2)", Parameters{channel, payload}, "test notify");
  REQUIRE(sent);
}

std::unique_ptr<rtctl::EventStream> open(const rtctl::NotifyStreamOptions& options) {
  auto stream = rtctl::open_notify_stream(options);
  REQUIRE(stream);
  return std::move(*stream);
}

TEST_CASE("notify stream: each channel's payloads arrive exactly, in commit order",
          "[notify_stream]") {
  const PrivatePostgres postgres;
  const std::string odd = "Odd \"name\" é";
  const std::string longest(7'999, 'x');
  TakerLog log(open(listen_to(postgres, {"jobs", odd})));
  REQUIRE(log.wait_for("caught up"));
  notify(postgres, "jobs", R"({"a":  1.0, "t": "Grüße 🌍"})");
  notify(postgres, odd, "line\nbreak\ttab");
  notify(postgres, "Jobs", "another channel");
  notify(postgres, "jobs", longest);
  postgres.exec("NOTIFY jobs");
  postgres.exec("BEGIN; NOTIFY jobs, 'rolled back'; ROLLBACK");
  postgres.exec("BEGIN; NOTIFY jobs, '1'; NOTIFY jobs, '2'; COMMIT");
  REQUIRE(log.wait_for_events(6));
  CHECK(log.lines() ==
        Lines{"open", "caught up", R"(event message  jobs {"a":  1.0, "t": "Grüße 🌍"})",
              "event message  " + odd + " line\nbreak\ttab", "event message  jobs " + longest,
              "event message  jobs ", "event message  jobs 1", "event message  jobs 2"});
  const auto end = log.stop();
  REQUIRE(end);
  CHECK(*end == rtctl::StreamEnd::stopped);
}

TEST_CASE("notify stream: a restarted server is a gap, then events go on", "[notify_stream]") {
  PrivatePostgres postgres;
  TakerLog log(open(listen_to(postgres, {"jobs"})));
  REQUIRE(log.wait_for("caught up"));
  notify(postgres, "jobs", "before");
  REQUIRE(log.wait_for_events(1));
  SECTION("killed") {
    postgres.kill_9();
  }
  SECTION("stopped") {
    REQUIRE(postgres.stop_fast());
  }
  REQUIRE(log.wait_for("retry"));
  postgres.start();
  REQUIRE(log.wait_for("gap"));
  notify(postgres, "jobs", "after");
  REQUIRE(log.wait_for_events(2));
  Lines lines = log.lines();
  std::erase(lines, "retry");  // as many as the start took
  CHECK(lines == Lines{"open", "caught up", "event message  jobs before", "open again", "gap",
                       "event message  jobs after"});
}

TEST_CASE("notify stream: many in one transaction come in order", "[notify_stream]") {
  const PrivatePostgres postgres;
  TakerLog log(open(listen_to(postgres, {"jobs"})));
  REQUIRE(log.wait_for("caught up"));
  postgres.exec("SELECT pg_notify('jobs', n::text) FROM generate_series(1, 20000) n");
  REQUIRE(log.wait_for_events(20'000));
  const auto events = log.events();
  REQUIRE(events.size() == 20'000);
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (events[i].data != std::to_string(i + 1)) FAIL("event " << i << ": " << events[i].data);
  }
}

TEST_CASE("notify stream: the taker ends it", "[notify_stream]") {
  const PrivatePostgres postgres;
  SECTION("by an event") {
    TakerLog log(open(listen_to(postgres, {"jobs"})), {.events_max = 1});
    REQUIRE(log.wait_for("caught up"));
    postgres.exec("BEGIN; NOTIFY jobs, '1'; NOTIFY jobs, '2'; COMMIT");
    const auto end = log.wait_ended();
    REQUIRE(end);
    CHECK(*end == rtctl::StreamEnd::stopped);
    CHECK(log.events().size() == 1);
  }
  SECTION("when caught up") {
    TakerLog log(open(listen_to(postgres, {"jobs"})), {.stop_when_caught_up = true});
    const auto end = log.wait_ended();
    REQUIRE(end);
    CHECK(*end == rtctl::StreamEnd::stopped);
  }
}

TEST_CASE("notify stream: what cannot be is one clear error", "[notify_stream]") {
  const auto refused = [](const std::string& channel) {
    return rtctl::open_notify_stream({"", {channel}, {}}).error().code;
  };
  CHECK(refused("") == Code::usage);
  CHECK(refused(std::string(64, 'x')) == Code::usage);
  CHECK(rtctl::open_notify_stream({"", {}, {}}).error().code == Code::usage);
  CHECK(rtctl::open_notify_stream({"", {std::string(63, 'x')}, {}}));

  PrivatePostgres postgres;
  SECTION("a server that is down at the start") {
    postgres.kill_9();
    TakerLog log(open(listen_to(postgres, {"jobs"})));
    const auto end = log.wait_ended();
    REQUIRE(end);
    CHECK(end->error().code == Code::unreachable);
  }
  SECTION("a lost connection, when none may be lost") {
    auto options = listen_to(postgres, {"jobs"});
    options.reconnect.retries_max = 0;
    TakerLog log(open(options));
    REQUIRE(log.wait_for("caught up"));
    postgres.exec(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rtctl'");
    const auto end = log.wait_ended();
    REQUIRE(end);
    CHECK(end->error().code == Code::unreachable);
    CHECK(log.lines() == Lines{"open", "caught up"});
  }
}

}  // namespace
}  // namespace rt::test

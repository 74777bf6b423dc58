// "subscriptions.filter": what is read, and what is refused because nobody could say what is due.
#include <catch2/catch.hpp>

#include "load/scenario.h"
#include "load/workload_share.h"

using Catch::Matchers::Contains;

namespace {

constexpr const char* kRealtime = R"({
  "name": "x", "extends": "preset:realtime",
  "target": {"url": "http://127.0.0.1:1/realtime?events={topic}"},
  "subscriptions": {"topics": {"count": 5, "name": "task-{n}"}}
})";
constexpr const char* kRuns = R"({
  "name": "x", "extends": "preset:runs", "target": {"url": "http://127.0.0.1:1"},
  "subscriptions": {"topics": {"count": 5, "name": "tag-{n}"}},
  "publish": [{"id": "new", "rate": 1, "producer": {"type": "pg-insert"}}]
})";

using Settings = std::vector<std::string>;

rt::Result<rt::Scenario> filtered(const char* text, const std::string& filter, Settings more = {}) {
  more.push_back("subscriptions.filter=" + filter);
  return rt::parse_scenario(text, "x.json", more);
}

std::string error_of(const char* text, const std::string& expression, Settings more = {}) {
  const auto read = filtered(text, R"({"expr": ")" + expression + "\"}", std::move(more));
  return read ? "accepted" : read.error().text;
}

}  // namespace

TEST_CASE("filter: types of realtime and tags of new rows, for a share of the connections",
          "[load][scenario]") {
  const auto types = filtered(kRealtime, R"f({"expr": "type in (task-4, task-1)", "share": 0.1})f");
  if (!types) FAIL(types.error().text);
  CHECK(types->subscriptions.filter.share == 0.1);
  CHECK(types->subscriptions.filter.topics == std::vector<std::uint32_t>{1, 4});
  CHECK(types->subscriptions.places() == 2);
  const auto tags = filtered(kRuns, R"({"expr": "tags = tag-3"})");
  if (!tags) FAIL(tags.error().text);
  CHECK(tags->subscriptions.filter.share == 1);
  CHECK(tags->subscriptions.filter.topics == std::vector<std::uint32_t>{3});
}

TEST_CASE("filter: an expression whose events cannot be known is refused with its place and reason",
          "[load][scenario]") {
  CHECK_THAT(error_of(kRealtime, "status in (task-1)"),
             Contains("--set subscriptions.filter=") &&
                 Contains("/subscriptions/filter/expr: cannot filter by") &&
                 Contains("asked for by \"type\""));
  CHECK_THAT(error_of(kRuns, "run_id = tag-1"), Contains("\"choice\" says whose"));
  CHECK_THAT(error_of(kRuns, "env_id = a"), Contains("all through or nothing"));
  CHECK_THAT(error_of(kRuns, "status in (a)"), Contains("run_id, env_id, tags and created_at"));
  CHECK_THAT(error_of(kRuns, "tags = tag-1", {R"(publish.0.producer={"type": "pg-update"})"}),
             Contains("only rows of producer \"pg-insert\""));
  CHECK_THAT(error_of(kRuns, "tags = tag-1", {R"(reconnect.last_event_id={"stale": {"by": 5}})"}),
             Contains("asked for again"));
  CHECK_THAT(error_of(kRuns, "tags = tag-1", {"target.url=http://127.0.0.1:1/s?tag={topic}"}),
             Contains("it cannot be told how"));
  CHECK_THAT(error_of(kRealtime, "type = task-1", {"target.url=http://127.0.0.1:1/realtime"}),
             Contains("{topic}"));
  CHECK_THAT(error_of(R"({"name": "x", "extends": "preset:topics",
                          "target": {"url": "http://127.0.0.1:1/{topic}"}})",
                      "type = a"),
             Contains("a stream of preset topics takes no filter"));
}

TEST_CASE("filter: names are topics of the scenario, each once", "[load][scenario]") {
  CHECK_THAT(error_of(kRealtime, "type in (task-1, task-9)"), Contains("named \"task-9\""));
  CHECK_THAT(error_of(kRealtime, "type in (task-1, task-1)"), Contains("the same name twice"));
  for (const char* const wrong :
       {"", "type", "type in", "type in ()", "type in (a,)", "type =", "type in a, b", "in (a)"}) {
    INFO(wrong);
    CHECK_THAT(error_of(kRealtime, wrong),
               Contains("expected \"type in (a, b)\"") || Contains("cannot filter by \"in\""));
  }
  CHECK_THAT(filtered(kRealtime, R"({"share": 0.1})").error().text, Contains("expr"));
}

TEST_CASE("filter: its run is not shared by machines", "[load][scenario]") {
  const auto scenario = filtered(kRealtime, R"({"expr": "type = task-1", "share": 0.5})");
  REQUIRE(scenario);
  const auto share = rt::WorkloadShare::of(*scenario, {0, 2});
  REQUIRE_FALSE(share);
  CHECK_THAT(share.error().text, Contains("filter"));
}

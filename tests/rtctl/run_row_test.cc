#include "rtctl/run_row.h"

#include <catch2/catch.hpp>

#include "rtctl/runs_query.h"

namespace rt::rtctl {
namespace {

TEST_CASE("run row: flags become columns, those not given are left alone", "[rtctl][row]") {
  const auto row = run_row({"r1", std::nullopt, "done", {"a", "b\"c"}, R"({"n":1.0})"});
  REQUIRE(row);
  CHECK(run_row_json(*row) ==
        R"({"id":"r1","status":"done","tags":["a","b\"c"],"data":{"n":1.0}})");
  CHECK(upsert_sql(*row, "\"t\"") ==
        "insert into \"t\" as run (\"id\", \"status\", \"tags\", \"data\") values ($1, $2, $3, $4) "
        "on conflict (id) do update set \"status\" = excluded.\"status\", "
        "\"tags\" = excluded.\"tags\", \"data\" = excluded.\"data\", updated_at = now()");
  CHECK(row->columns[2].value == R"({"a","b\"c"})");
  CHECK(row->columns[3].value == R"({"n":1.0})");
}

TEST_CASE("run row: JSON members become columns in their own spelling", "[rtctl][row]") {
  const auto row = parse_run_row(
      R"({"status":"x", "id":"r1", "data":["a"], "tags":[], "n":12345678901234567890, "z":null})");
  REQUIRE(row);
  CHECK(row->id() == "r1");
  CHECK(run_row_json(*row) ==
        R"({"id":"r1","status":"x","data":["a"],"tags":[],"n":12345678901234567890,"z":null})");
  CHECK(row->columns[2].value == R"(["a"])");
  CHECK(row->columns[3].value == "{}");
  CHECK(row->columns[4].value == "12345678901234567890");
  CHECK_FALSE(row->columns[5].value.has_value());
}

TEST_CASE("run row: data that is a JSON string stays JSON", "[rtctl][row]") {
  const auto row = parse_run_row(R"({"id":"r1","data":"text"})");
  REQUIRE(row);
  CHECK(row->columns[1].value == "\"text\"");
}

TEST_CASE("run row: an updated_at of its own is kept", "[rtctl][row]") {
  const auto row = parse_run_row(R"({"id":"r1","updated_at":"2026-01-01T00:00:00Z"})");
  REQUIRE(row);
  CHECK(upsert_sql(*row, "t") ==
        "insert into t as run (\"id\", \"updated_at\") values ($1, $2) on conflict (id) do update "
        "set \"updated_at\" = excluded.\"updated_at\"");
}

TEST_CASE("run row: names of columns cannot break out of the statement", "[rtctl][row]") {
  const auto row = parse_run_row(R"({"id":"r1","a\" = 1; --":2})");
  REQUIRE(row);
  CHECK(upsert_sql(*row, "t").find("\"a\"\" = 1; --\"") != std::string::npos);
}

TEST_CASE("run row: what is no row is a usage error", "[rtctl][row]") {
  for (const char* bad :
       {"", "[]", "{", R"({"status":"x"})", R"({"id":""})", R"({"id":null})",
        R"({"id":"a","id":"b"})", R"({"id":"a","tags":[1]})", R"({"id":"a\u0000"})"}) {
    INFO(bad);
    const auto row = parse_run_row(bad);
    REQUIRE_FALSE(row);
    CHECK(row.error().code == Code::usage);
  }
  CHECK_FALSE(run_row({"", {}, {}, {}, {}}));
  CHECK_FALSE(run_row({"r1", {}, {}, {}, "{oops"}));
}

TEST_CASE("runs query: no condition, no filter; a slash at the end changes nothing",
          "[rtctl][runs]") {
  CHECK(runs_stream_url("http://h:1/", {}) == "http://h:1/v1/runs/stream");
  RunsFilter filter;
  filter.tags = {"a\"b"};
  CHECK(runs_filter_json(filter) == R"({"tags":["a\"b"]})");
}

TEST_CASE("runs query: only what is new is asked for in the query", "[rtctl][runs]") {
  CHECK(runs_stream_url("http://h", {}, false) == "http://h/v1/runs/stream?initial=none");
  RunsFilter filter;
  filter.run_id = "r";
  CHECK(runs_stream_url("http://h", filter, false).find("%7D&initial=none") != std::string::npos);
}

}  // namespace
}  // namespace rt::rtctl

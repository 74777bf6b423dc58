#include "server/run_filter.h"

#include <catch2/catch.hpp>

using namespace rt;
using namespace rt::server;

namespace {

RunFilter parse(std::string_view json, TagsMatch match = TagsMatch::any) {
  auto filter = RunFilter::parse(json, match);
  REQUIRE(filter);
  return *filter;
}

OwnedRunFacts facts(std::string_view id, std::string_view environment,
                    std::initializer_list<std::string_view> tags, std::int64_t created_us = 0) {
  OwnedRunFacts out;
  out.id = hash_name(Role::run, id);
  out.environment = hash_name(Role::environment, environment);
  out.created_us = created_us;
  for (const auto tag : tags) out.tags.push_back(hash_name(Role::tag, tag));
  return out;
}

}  // namespace

TEST_CASE("filter: no condition matches every run", "[server]") {
  for (const char* text : {"", "{}", R"({"run_id":null,"tags":null})", R"({"tags":[]})"}) {
    CAPTURE(text);
    const RunFilter filter = parse(text);
    CHECK(filter.matches(facts("a", "e", {}).view()));
    CHECK(filter.keys() == std::vector<std::uint64_t>{kEveryRunKey});
    CHECK_FALSE(filter.is_one_run());
  }
}

TEST_CASE("filter: all given conditions must hold", "[server]") {
  const RunFilter filter = parse(
      R"({"run_id":"r1","env_id":"e1","tags":["x","y"],"created_at":"2025-06-01T00:00:00Z"})");
  const std::int64_t june = 1'748'736'000'000'000;
  CHECK(filter.matches(facts("r1", "e1", {"y"}, june).view()));
  CHECK_FALSE(filter.matches(facts("r2", "e1", {"y"}, june).view()));
  CHECK_FALSE(filter.matches(facts("r1", "e2", {"y"}, june).view()));
  CHECK_FALSE(filter.matches(facts("r1", "e1", {"z"}, june).view()));
  CHECK_FALSE(filter.matches(facts("r1", "e1", {"y"}, june - 1).view()));
}

TEST_CASE("filter: tags match any by default and all on request", "[server]") {
  const char* text = R"({"tags":["x","y"]})";
  CHECK(parse(text).matches(facts("r", "e", {"a", "y"}).view()));
  CHECK_FALSE(parse(text, TagsMatch::all).matches(facts("r", "e", {"a", "y"}).view()));
  CHECK(parse(text, TagsMatch::all).matches(facts("r", "e", {"y", "x"}).view()));
}

TEST_CASE("filter: a name in one role is not the same name in another", "[server]") {
  CHECK_FALSE(parse(R"({"env_id":"x"})").matches(facts("x", "e", {"x"}).view()));
}

TEST_CASE("filter: malformed filters are refused with a reason", "[server]") {
  for (const char* text : {"{", "[]", "1", R"({"run_id":1})", R"({"tags":"a"})", R"({"tags":[1]})",
                           R"({"created_at":"yesterday"})", R"({} x)"}) {
    CAPTURE(text);
    const auto filter = RunFilter::parse(text, TagsMatch::any);
    REQUIRE_FALSE(filter);
    CHECK(filter.error().code == Code::usage);
    CHECK_FALSE(filter.error().text.empty());
  }
}

TEST_CASE("filter: unknown keys are remembered so that the subscriber can be told", "[server]") {
  CHECK(parse(R"({"runid":"r"})").ignored() == std::vector<std::string>{"runid"});
}

TEST_CASE("filter: every event that matches carries one of the filter's keys", "[server]") {
  const auto run = facts("r1", "e1", {"x", "y"}, 5);
  std::vector<std::uint64_t> event_keys{kEveryRunKey};
  append_event_keys(event_keys, run.view());
  for (const char* text : {"{}", R"({"run_id":"r1"})", R"({"env_id":"e1"})",
                           R"({"tags":["q","y"]})", R"({"env_id":"e1","tags":["x"]})"}) {
    for (const TagsMatch match : {TagsMatch::any, TagsMatch::all}) {
      const RunFilter filter = parse(text, match);
      if (!filter.matches(run.view())) continue;
      CAPTURE(text);
      const auto keys = filter.keys();
      CHECK(std::find_first_of(keys.begin(), keys.end(), event_keys.begin(), event_keys.end()) !=
            keys.end());
    }
  }
}

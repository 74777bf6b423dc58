#include "load/topic_file.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <map>

#include "load/document.h"
#include "load/publish_work.h"
#include "load/scenario.h"
#include "load/schedule.h"
#include "load/subscriptions.h"
#include "temp_folder.h"

using Catch::Matchers::Contains;
using rt::parse_topic_file;
using rt::TopicChoice;
using rt::test::TempFolder;

namespace {

std::string error_of(const std::string& text) {
  const auto read = parse_topic_file(text, "t.txt");
  return read ? "accepted" : read.error().text;
}

// A scenario whose subscribers choose by `choice` and whose entries of publish have `topics`.
rt::Result<rt::Scenario> scenario_of(const std::string& choice,
                                     const std::vector<std::string>& topics) {
  std::string publish;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    publish += (i == 0 ? "" : ",") + std::string(R"({"id": "p)") + std::to_string(i) +
               R"(", "producer": {"type": "http-post"}, "rate": 5, "topic": )" + topics[i] + "}";
  }
  return rt::parse_scenario(
      R"({"name": "x", "extends": "preset:topics", "subscriptions": {"choice": )" + choice +
          R"(}, "publish": [)" + publish + "]}",
      "x.json");
}

// A folder with files of topics, and how a scenario names them.
struct Files {
  std::string add(const std::string& name, const std::string& text) const {
    std::ofstream(folder.path + "/" + name) << text;
    return R"({"dist": "file", "file": ")" + folder.path + "/" + name + "\"}";
  }
  TempFolder folder;
};

std::string error_of(const rt::Result<rt::Scenario>& read) {
  return read ? "accepted" : read.error().text;
}

constexpr const char* kUniform = R"({"dist": "uniform"})";

}  // namespace

TEST_CASE(
    "topic file: a line is a name, or a weight, a tab and a name; names that come again add up",
    "[load][topics]") {
  const auto file = parse_topic_file("orders\r\n3\tinvoices\n\nnews of today\n2\torders", "t.txt");
  REQUIRE(file);
  CHECK(file->names == std::vector<std::string>{"orders", "invoices", "news of today"});
  CHECK(file->weights == std::vector<std::uint64_t>{3, 3, 1});
  CHECK(file->sha256.size() == 64);
}

TEST_CASE("topic file: what is no topic is named with its line", "[load][topics]") {
  CHECK(error_of("a\n0\tb\n") ==
        "t.txt:2: expected a whole number from 1 to 1000000000 before the tab, found \"0\"");
  CHECK_THAT(error_of("x\ty"), Contains("t.txt:1: expected a whole number"));
  CHECK_THAT(error_of("1\t"), Contains("expected the name of a topic after the tab"));
  CHECK_THAT(error_of("1\ta\tb"), Contains("no text in UTF-8"));
  CHECK_THAT(error_of("\xFF"), Contains("no text in UTF-8"));
  CHECK_THAT(error_of(std::string(513, 'a')), Contains("a name of 513 bytes"));
  CHECK(error_of("\n\n") == "t.txt: names no topic");
  CHECK_THAT(rt::read_topic_file("/no/such").error().text, Contains("cannot read /no/such"));
  CHECK(rt::read_topic_file("/proc").error().code == rt::Code::usage);
}

TEST_CASE(
    "topic file: connections and events fall on names as their weights say, by the seed alone",
    "[load][topics]") {
  const Files files;
  const std::string file = files.add("t", "7\tbig\n2\tmiddle\n1\tsmall\n");
  const auto scenario = scenario_of(file, {file});
  if (!scenario) FAIL(scenario.error().text);
  CHECK(scenario->subscriptions.topics == 3);
  CHECK(scenario->subscriptions.topic_name(0) == "big");
  CHECK(scenario->subscriptions.topic_name(2) == "small");
  const rt::Subscriptions followers(scenario->subscriptions, scenario->seed);
  const auto works = rt::publish_works(*scenario);
  REQUIRE(works);
  std::map<std::uint32_t, int> followed;
  std::map<std::uint32_t, int> published;
  constexpr std::uint64_t kTimes = 10'000;
  for (std::uint64_t n = 0; n < kTimes; ++n) {
    ++followed[followers.topic_of(n)];
    ++published[works->front().topic(n)];
  }
  for (const auto& seen : {followed, published}) {
    CHECK(seen.at(0) == Approx(0.7 * kTimes).epsilon(0.05));
    CHECK(seen.at(1) == Approx(0.2 * kTimes).epsilon(0.1));
    CHECK(seen.at(2) == Approx(0.1 * kTimes).epsilon(0.15));
  }
  const rt::Subscriptions again(scenario->subscriptions, scenario->seed);
  for (std::uint64_t n = 100; n-- > 0;) CHECK(again.topic_of(n) == followers.topic_of(n));
}

TEST_CASE("topic file: its names are the topics also of those who choose otherwise",
          "[load][topics]") {
  const Files files;
  const std::string file = files.add("t", "a\nb\nc\nd\n");
  const auto follows = scenario_of(file, {kUniform});
  REQUIRE(follows);
  CHECK(follows->subscriptions.topics == 4);
  const auto publishes = scenario_of(R"({"dist": "round_robin"})", {file});
  REQUIRE(publishes);
  CHECK(publishes->subscriptions.topics == 4);
  CHECK(publishes->subscriptions.topic_name(3) == "d");
  // The file of subscribers comes first, and what only the other one has behind it.
  const auto both = scenario_of(file, {files.add("u", "e\nd\n")});
  REQUIRE(both);
  CHECK(both->subscriptions.topics == 5);
  CHECK(both->subscriptions.topic_name(4) == "e");
  const auto works = rt::publish_works(*both);
  for (std::uint64_t n = 0; n < 50; ++n) CHECK(works->front().topic(n) >= 3);
}

TEST_CASE("topic file: entries with files have each their own topics", "[load][topics]") {
  const Files files;
  const std::string one = files.add("one", "a\nb\n");
  const std::string two = files.add("two", "c\n");
  const auto apart = scenario_of(R"({"dist": "round_robin"})", {one, two});
  if (!apart) FAIL(apart.error().text);
  const auto works = rt::publish_works(*apart);
  for (std::uint64_t n = 0; n < 50; ++n) {
    CHECK((*works)[0].topic(n) <= 1);
    CHECK((*works)[1].topic(n) == 2);
  }
  CHECK_THAT(error_of(scenario_of(kUniform, {one, files.add("three", "d\nb\n")})),
             Contains("/publish/1/topic: topic \"b\" is in the file of entry \"p0\" too"));
  CHECK_THAT(error_of(scenario_of(kUniform, {one, kUniform})),
             Contains("/publish/1/topic: where one entry has its topics from a file"));
}

TEST_CASE("topic file: a scenario's digest is of the file's content too, and can be held to it",
          "[load][topics]") {
  const Files files;
  const std::string file = files.add("t", "a\nb\n");
  const auto before = scenario_of(file, {kUniform});
  REQUIRE(before);
  const auto expanded = rt::parse_scenario(before->expanded, "expanded");
  REQUIRE(expanded);
  CHECK(expanded->sha256 == before->sha256);
  files.add("t", "a\nc\n");
  CHECK(scenario_of(file, {kUniform})->sha256 != before->sha256);
  CHECK_THAT(
      error_of(rt::parse_scenario(before->expanded, "expanded")),
      Contains("/subscriptions/choice/sha256: ") && Contains("is not the file that is meant"));
  // A report is read without the file.
  const auto stored = rt::parse_stored_scenario(before->expanded, "report");
  REQUIRE(stored);
  CHECK(stored->sha256 == before->sha256);
}

TEST_CASE("topic file: a scenario says where it names one that cannot be used", "[load][topics]") {
  const Files files;
  CHECK_THAT(error_of(scenario_of(R"({"dist": "file", "file": "/no/such"})", {kUniform})),
             Contains("x.json:1: /subscriptions/choice/file: cannot read /no/such"));
  CHECK_THAT(error_of(scenario_of(kUniform, {files.add("bad", "0\ta\n")})),
             Contains("/publish/0/topic/file: ") && Contains("bad:1: expected a whole number"));
  CHECK_THAT(error_of(scenario_of(R"({"dist": "file"})", {kUniform})),
             Contains("/subscriptions/choice: \"file\" is missing"));
  CHECK_THAT(error_of(scenario_of(R"({"dist": "zipf", "file": "x"})", {kUniform})),
             Contains("only \"file\" is read from a file"));
}

TEST_CASE("topic file: a report of streams of several topics from a file is read without it",
          "[load][topics]") {
  const Files files;
  const std::string text = R"({"name": "x", "extends": "preset:realtime", "subscriptions": {
      "topics": {"count": 1}, "per_connection": {"dist": "fixed", "n": 2}, "choice": )" +
                           files.add("t", "a\nb\nc\n") + "}}";
  const auto read = rt::parse_scenario(text, "x.json");
  INFO(error_of(read));
  REQUIRE(read);
  CHECK(rt::parse_stored_scenario(read->expanded, "report"));
}

// The reports for spreadsheets, pull requests and monitoring, pinned by golden files.
#include "report/formats.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "report/csv.h"
#include "report/html.h"
#include "report/markdown.h"
#include "report/prometheus.h"
#include "report/stored_sound.h"
#include "report/svg_chart.h"

using rt::Outcome;
using rt::Scenario;
using rt::testing::sound_outcome;
using rt::testing::sound_scenario;

namespace {

void matches_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(RT_SOURCE_DIR "/tests/report/golden/") + name;
  if (std::getenv("RT_UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << text;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream expected;
  expected << file.rdbuf();
  INFO(name);
  REQUIRE(text == expected.str());
}

std::string made(const char* format, const Outcome& outcome) {
  const Scenario scenario = sound_scenario();
  return rt::find_report_format(format)->make(scenario, outcome, judge(scenario, outcome));
}

Outcome bad_outcome() {
  Outcome outcome = sound_outcome();
  outcome.phases[0].expected += 1'300;
  outcome.integrity.lost = 1'300;
  outcome.integrity.first_lost = "topic <b>run|17</b>, event 4711, connection 212";
  outcome.series[3].received = 0;
  outcome.series[3].p50_us = outcome.series[3].p95_us = outcome.series[3].max_us = 0;
  return outcome;
}

}  // namespace

TEST_CASE("csv: a line a second, empty latencies where nothing arrived", "[report][csv]") {
  matches_golden("series.csv", made("csv", bad_outcome()));
}

TEST_CASE("markdown: the verdict first, text of others cannot break the tables", "[report][md]") {
  matches_golden("pass.md", made("md", sound_outcome()));
  const std::string bad = made("md", bad_outcome());
  matches_golden("lost.md", bad);
  REQUIRE(bad.starts_with("### FAIL: sound\n"));
  REQUIRE(bad.find("<b>") == std::string::npos);
}

TEST_CASE("prometheus: base units, and +Inf for what never arrived", "[report][prom]") {
  matches_golden("lost.prom", made("prom", bad_outcome()));
  rt::LiveFigures live;
  live.scenario = "a \"quoted\"\nname";
  live.phase = "main";
  live.second.p95_us = 21'000;
  const std::string page = rt::prometheus_live(live);
  REQUIRE(page.find("scenario=\"a \\\"quoted\\\"\\nname\"") != std::string::npos);
  REQUIRE(page.find("quantile=\"0.95\"} 0.021\n") != std::string::npos);
}

TEST_CASE("html: one file, no script, nothing from outside, text of others is text",
          "[report][html]") {
  const std::string page = made("html", bad_outcome());
  REQUIRE(page.find("<script") == std::string::npos);
  REQUIRE(page.find("http-equiv=\"Content-Security-Policy\"") != std::string::npos);
  for (const char* reference : {"src=", "href=", "url(", "@import", "<link"}) {
    INFO(reference);
    REQUIRE(page.find(reference) == std::string::npos);
  }
  REQUIRE(page.find("&lt;b&gt;run|17&lt;/b&gt;") != std::string::npos);
  REQUIRE(page.find("<b>run") == std::string::npos);
  // The verdict comes before everything else.
  REQUIRE(page.find(">FAIL<") < page.find("<svg"));
}

TEST_CASE("svg chart: ticks are round and cover the axis", "[report][svg]") {
  const auto labels = [](double low, double high, bool logarithmic) {
    std::string out;
    for (const auto& tick : rt::round_ticks(low, high, logarithmic)) out += tick.label + " ";
    return out;
  };
  REQUIRE(labels(0, 20, false) == "0 5 10 15 20 ");
  REQUIRE(labels(0, 400'000, false) == "0 100k 200k 300k 400k ");
  REQUIRE(labels(0, 0.3, false) == "0 0.1 0.2 0.3 ");
  REQUIRE(labels(2, 60, true) == "2 5 10 20 50 ");
  REQUIRE(labels(0.5, 20'000, true) == "1 10 100 1000 10k ");
  REQUIRE(labels(7, 7, false) == "7 ");
}

TEST_CASE("svg chart: a line has a gap where there is no value", "[report][svg]") {
  rt::Chart chart;
  chart.title = "t";
  rt::ChartSeries series;
  series.name = "p95";
  series.style = "s1";
  for (int i = 0; i < 9; ++i) series.points.push_back({i * 1.0, i == 4 ? NAN : 10.0 + i});
  chart.series.push_back(series);
  const std::string svg = rt::svg_chart(chart);
  const auto count = [&](std::string_view what) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = svg.find(what, at)) != svg.npos; ++at) ++found;
    return found;
  };
  REQUIRE(count("<path class=\"line s1\"") == 2);
  REQUIRE(svg.find("nan") == std::string::npos);
  chart.series[0].points = {{0, NAN}};
  REQUIRE(rt::svg_chart(chart).find("Nothing was measured") != std::string::npos);
}

TEST_CASE("svg chart: thousands of points stay a small picture and keep the worst",
          "[report][svg]") {
  rt::Chart chart;
  rt::ChartSeries series;
  series.style = "s1";
  for (int i = 0; i < 36'000; ++i) series.points.push_back({i * 1.0, i == 20'001 ? 900.0 : 1.0});
  chart.series.push_back(series);
  const std::string svg = rt::svg_chart(chart);
  REQUIRE(svg.size() < 120'000);
  REQUIRE(svg.find(": 900 ") != std::string::npos);
}

// The HTML report in a real Chromium: complete, quiet, and good on a phone, in the dark and on
// paper. RT_SCREENSHOTS=DIR keeps pictures to look at.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "browser/browser.h"
#include "integration/child_process.h"
#include "load/presets.h"
#include "load/sound_outcome.h"
#include "report/html.h"

using namespace rt::test;

namespace {

rt::Scenario shown_scenario() {
  return rt::parse_scenario(rt::find_preset("runs")->json, "preset:runs",
                            {"name=runs-20k", "thresholds=[{\"expr\": \"delivery.p95 < 300ms\"}]"})
      .value();
}

// A minute of 20,000 subscribers with a ramp, a stall in the middle and a reconnect storm.
rt::Outcome shown_outcome(const rt::Scenario& scenario) {
  rt::Outcome outcome = rt::testing::sound_outcome();
  outcome.scenario = scenario.name;
  outcome.scenario_sha256 = scenario.sha256;
  rt::Random random(7);
  outcome.series.clear();
  rt::PhaseOutcome& main = outcome.phases[0];
  main.delivery = main.intended = main.late = {};
  main.start_s = 12;
  main.duration_s = 44;
  for (int second = 1; second <= 60; ++second) {
    rt::SecondSample sample;
    sample.at_s = second;
    sample.connections = static_cast<std::uint64_t>(std::min(20'000, second * 2'400));
    sample.measured = second > 12 && second <= 56;
    if (second > 9 && second <= 56) {
      rt::Histogram histogram;
      const double typical = second > 30 && second < 34 ? 60'000 : 14'000;
      for (int i = 0; i < 2'000; ++i) {
        const auto us = static_cast<std::int64_t>(1'500 + random.exponential(typical));
        histogram.record(us);
        if (!sample.measured) continue;
        main.delivery.record(us);
        main.intended.record(us + 900);
        if (i % 2 == 0) main.late.record(40 + static_cast<std::int64_t>(random.below(170)));
      }
      sample.offered = 1'000;
      sample.sent = 990 + random.below(20);
      sample.received = 2'000;
      sample.p50_us = histogram.percentile_us(0.5);
      sample.p95_us = histogram.percentile_us(0.95);
      sample.max_us = static_cast<double>(histogram.max_us());
      sample.late_max_us = 90 + static_cast<double>(random.below(400));
      sample.delivery = histogram.sparse();
    }
    outcome.series.push_back(sample);
  }
  main.offered = main.sent = main.acknowledged = main.events = 44'000;
  main.expected = main.received = outcome.integrity.received = 88'000;
  outcome.integrity.parsed = 90'000;
  outcome.connections.asked = outcome.connections.held = 20'000;
  outcome.resume.losses = outcome.resume.attempts = outcome.resume.resumed = 400;
  outcome.resume.replayed = 1'250;
  for (int i = 0; i < 400; ++i) {
    outcome.resume.latency.record(static_cast<std::int64_t>(2'000 + random.exponential(60'000)));
  }
  outcome.target.same_host = true;
  outcome.selftest =
      rt::Floor{.p50_us = 300, .p95_us = 600, .p99_us = 900, .events_per_s = 250'000};
  outcome.notes = {"client and target shared two cores"};
  return outcome;
}

class Opened {
 public:
  explicit Opened(const rt::Outcome& outcome, const rt::Scenario& scenario = shown_scenario())
      : path_(std::string(RT_BINARY_DIR) + "/report-in-browser.html") {
    std::ofstream(path_) << rt::html_report(scenario, outcome, judge(scenario, outcome));
    browser.open("file://" + path_);
  }
  void keep_picture(const std::string& name) {
    const char* folder = std::getenv("RT_SCREENSHOTS");
    if (folder == nullptr) return;
    // The whole page: as high as it is.
    std::ofstream(std::string(folder) + "/" + name + ".png", std::ios::binary)
        << browser.screenshot();
  }
  int number(const std::string& script) { return browser.run("return " + script).get<int>(); }
  Browser browser;

 private:
  std::string path_;
};

constexpr char kHeight[] = "document.documentElement.scrollHeight";
constexpr char kTooWide[] =
    "document.documentElement.scrollWidth - document.documentElement.clientWidth";

}  // namespace

TEST_CASE("html report: it opens without a complaint, the verdict first, every picture drawn",
          "[browser][report]") {
  Opened page(shown_outcome(shown_scenario()));
  page.browser.look(1200, 900, "light");
  page.browser.look(1200, page.number(kHeight), "light");
  page.keep_picture("wide-light");
  CHECK(page.browser.complaints().empty());
  INFO(page.browser.text(".verdict"));
  CHECK(page.browser.text(".word") == "PASS");
  CHECK(page.number("document.querySelector('.verdict').getBoundingClientRect().top") < 60);
  CHECK(page.number("document.querySelectorAll('figure svg').length") == 7);
  CHECK(page.number("document.querySelectorAll('script').length") == 0);
  CHECK(page.number("performance.getEntriesByType('resource').length") == 0);
  // Nothing of a picture lies outside of it.
  CHECK(page.number(
            "[...document.querySelectorAll('svg')].filter((svg) => {"
            "  const box = svg.getBoundingClientRect();"
            "  return [...svg.querySelectorAll('path, text, line')].some((part) => {"
            "    const own = part.getBoundingClientRect();"
            "    return own.left < box.left - 2 || own.right > box.right + 2 ||"
            "           own.top < box.top - 2 || own.bottom > box.bottom + 2; }); }).length") == 0);
}

TEST_CASE("html report: on a phone nothing is cut off and text is large enough",
          "[browser][report]") {
  Opened page(shown_outcome(shown_scenario()));
  page.browser.look(390, 844, "light");
  CHECK(page.number(kTooWide) <= 0);
  CHECK(page.number(
            "Math.min(...[...document.querySelectorAll('svg text')].map("
            "(text) => text.getBoundingClientRect().height).filter((height) => height > 0))") >= 9);
  page.browser.look(390, page.number(kHeight), "light");
  page.keep_picture("phone-light");
}

TEST_CASE("html report: dark where the reader's device is dark", "[browser][report]") {
  Opened page(shown_outcome(shown_scenario()));
  const std::string colour = "getComputedStyle(document.body).backgroundColor";
  page.browser.look(1200, 900, "light");
  const auto light = page.browser.run("return " + colour);
  page.browser.look(1200, page.number(kHeight), "dark");
  page.keep_picture("wide-dark");
  CHECK(page.browser.run("return " + colour) != light);
}

TEST_CASE("html report: a failed run says why before it shows anything", "[browser][report]") {
  const rt::Scenario scenario = shown_scenario();
  rt::Outcome outcome = shown_outcome(scenario);
  outcome.phases[0].expected += 13'000;
  outcome.integrity.lost = 13'000;
  outcome.integrity.first_lost = "topic run-17, event 4711, connection 212";
  outcome.connections.held -= 900;
  outcome.connections.failed[static_cast<std::size_t>(rt::ConnectFailure::refused)] = 900;
  outcome.connections.first_failure = "127.0.0.1:8080: Connection refused (ECONNREFUSED)";
  Opened page(outcome, scenario);
  page.browser.look(390, 844, "dark");
  CHECK(page.number(kTooWide) <= 0);
  CHECK(page.browser.text(".word") == "FAIL");
  CHECK(page.browser.text(".verdict ul").find("topic run-17") != std::string::npos);
  page.browser.look(1200, 900, "light");
  page.browser.look(1200, page.number(kHeight), "light");
  page.keep_picture("failed");
}

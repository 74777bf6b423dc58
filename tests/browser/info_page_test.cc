// The page of `rtreplay info --html` in a real Chromium.
#include "archive/bodies.h"
#include "archive/fixture.h"
#include "browser/browser.h"
#include "integration/running_tool.h"

using namespace rt;
using namespace rt::test;
using namespace rt::archive::testing;
using nlohmann::json;

namespace {

// Bursts, a pause with a gap, one large transaction, a mark, and names that are markup.
void write_incident(const std::string& path) {
  const ManualClock clock;
  archive::Origin where = origin();
  where.notes_json = R"({"slot":"<b id=hit>"})";
  auto writer = archive::Writer::create(path, where, moment(clock)).value();
  for (int t = 0; t < 400; ++t) {
    if (t == 200) {
      REQUIRE(writer.append({RecordKind::gap, false, 0, commit_time(t), "the <i>slot</i> was lost"},
                            clock.now()));
      t = 300;
    }
    const int rows = t == 350 ? 900 : 1 + t % 7;
    const std::string name =
        t % 3 == 0 ? "orders" : "a_table_with_a_name_that_is_long_for_a_telephone<script>";
    const auto oid = static_cast<std::uint32_t>(t % 3 == 0 ? 7 : 8);
    std::vector<std::string> bodies = {begin(commit_lsn(t), commit_time(t), 9),
                                       relation(oid, name)};
    for (int r = 0; r < rows; ++r) bodies.push_back(insert(oid, std::to_string(r)));
    bodies.push_back(commit(commit_lsn(t), end_lsn(t), commit_time(t)));
    for (const std::string& body : bodies) {
      REQUIRE(writer.append(wal(body, 1, commit_time(t)), clock.now()));
    }
  }
  REQUIRE(writer.append({RecordKind::mark, false, 0, commit_time(390), "deploy <u>42</u>"},
                        clock.now()));
  REQUIRE(writer.close(clock.now()));
}

std::string page_of(const Scratch& scratch, const std::string& archive) {
  const std::string page = scratch / "page.html";
  const Outcome made = run({"rtreplay", "info", archive, "--html", page});
  INFO(made.err);
  REQUIRE(made.status == 0);
  return page;
}

}  // namespace

TEST_CASE("info page: pictures of rate, sizes and tables, complete in one file without scripts",
          "[browser]") {
  const Scratch scratch;
  write_incident(scratch / "a.rtr");
  const std::string page = page_of(scratch, scratch / "a.rtr");
  Browser browser;
  browser.open("file://" + page);
  CHECK(browser.run("return document.querySelectorAll('svg').length") == 2);
  CHECK(browser.run(
            "return document.querySelectorAll('svg')[0].querySelectorAll('.bar').length > 20") ==
        true);
  CHECK(browser.run(
            "return document.querySelectorAll('svg')[0].querySelectorAll('.line').length") == 1);
  CHECK(browser.run("return document.querySelectorAll('tbody tr').length") == 2);
  CHECK(browser.run("return document.querySelectorAll('.part.i').length") == 2);
  CHECK(browser.run("return document.body.textContent.includes('the <i>slot</i> was lost')") ==
        true);
  CHECK(browser.run("return document.body.textContent.includes('deploy <u>42</u>')") == true);
  CHECK(browser.run("return document.querySelectorAll('script, #hit, i, u, link, img').length") ==
        0);
  CHECK(browser.run("return performance.getEntriesByType('resource').length") == 0);
  CHECK(browser.complaints().empty());
}

TEST_CASE("info page: it fits a phone and a desk, in light and in dark", "[browser]") {
  const Scratch scratch;
  write_incident(scratch / "a.rtr");
  const std::string page = page_of(scratch, scratch / "a.rtr");
  Browser browser;
  std::string backgrounds;
  for (const char* scheme : {"light", "dark"}) {
    for (const int width : {320, 390, 768, 1280}) {
      CAPTURE(scheme, width);
      browser.look(width, 800, scheme);
      browser.open("file://" + page);
      CHECK(browser.run("return document.documentElement.scrollWidth <= innerWidth") == true);
      // A picture as wide as the page allows, and labels that can be read.
      CHECK(browser.run("return document.querySelector('svg').clientWidth > innerWidth * 0.6") ==
            true);
      CHECK(browser.run("return parseFloat(getComputedStyle(document.querySelector('.axis'))"
                        ".fontSize) >= 12") == true);
    }
    backgrounds +=
        browser.run("return getComputedStyle(document.body).backgroundColor").get<std::string>();
  }
  CHECK(backgrounds == "rgb(255, 255, 255)rgb(20, 23, 27)");
}

TEST_CASE("info page: a recording without an event is a page as well", "[browser]") {
  const Scratch scratch;
  const ManualClock clock;
  archive::Writer::create(scratch / "a.rtr", origin(), moment(clock)).value();
  Browser browser;
  browser.open("file://" + page_of(scratch, scratch / "a.rtr"));
  CHECK(browser.run("return document.querySelectorAll('svg').length") == 0);
  CHECK(browser.run("return document.body.textContent.includes('without events')") == true);
}

// The page's forms for events, realtime and jobs, each before its real back end: what is published
// on the page arrives on the page.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "browser/browser.h"
#include "integration/pgboss.h"
#include "integration/private_redis.h"
#include "integration/running_tool.h"

namespace rt::test {
namespace {

std::unique_ptr<RunningTool> serve(std::vector<std::string> more) {
  std::vector<std::string> words = {"rtctl", "serve", "--ui", "--listen", "127.0.0.1:0"};
  words.insert(words.end(), more.begin(), more.end());
  auto server = std::make_unique<RunningTool>(std::move(words));
  REQUIRE(server->wait_for("page:"));
  return server;
}

std::string url_of(const RunningTool& server) {
  const std::string& text = server.error_text();
  const std::size_t at = text.find("url=http://") + 4;
  return text.substr(at, text.find(' ', at) - at);
}

void choose(Browser& browser, const std::string& form, const std::string& surface) {
  browser.click("#" + form + "-surface option[value=" + surface + "]");
}

void follow(Browser& browser) {
  browser.click("#follow-go");
  REQUIRE(browser.eventually(
      "return document.getElementById('follow-state').textContent === 'connected'"));
}

void publish(Browser& browser) {
  browser.click("#publish-go");
  REQUIRE(browser.eventually(
      "return document.getElementById('publish-note').textContent.startsWith('Published')"));
}

// An event whose name and data contain these.
bool shows(Browser& browser, const std::string& name, const std::string& data) {
  return browser.eventually(
      "return [...document.querySelectorAll('#events li')].some((item) => "
      "item.querySelector('.name').textContent === '" +
      name + "' && item.querySelector('pre').textContent.includes('" + data + "'))");
}

TEST_CASE("page: an event published to a scope arrives under its own name", "[browser]") {
  const PrivateRedis redis;
  const auto server = serve({"--surfaces", "events", "--redis", redis.url()});
  Browser browser;
  browser.open(url_of(*server) + "/");
  choose(browser, "follow", "events");
  browser.type("#follow-scope", "gym");
  browser.type("#follow-scope_id", "7");
  browser.type("#follow-names", "students.changed");
  follow(browser);
  choose(browser, "publish", "events");
  browser.type("#publish-channel", "gym:7:students");
  browser.type("#publish-event_type", "students.changed");
  browser.type("#publish-data", "{\"id\": 41}");
  publish(browser);
  CHECK(shows(browser, "students.changed", "41"));
}

TEST_CASE("page: a realtime message reaches who follows its type", "[browser]") {
  const auto server = serve({"--surfaces", "realtime"});
  Browser browser;
  browser.open(url_of(*server) + "/");
  choose(browser, "follow", "realtime");
  browser.type("#follow-types", "invoice");
  follow(browser);
  choose(browser, "publish", "realtime");
  browser.type("#publish-type", "invoice");
  browser.type("#publish-data", "{\"total\": 99}");
  publish(browser);
  CHECK(shows(browser, "message", "99"));
}

TEST_CASE("page: a job sent on it can be followed by its id, to its end", "[browser]") {
  const std::string folder = installed_pgboss("v12");
  if (folder.empty()) return;
  const Boss boss(folder, "pgboss", "mail=standard");
  REQUIRE(boss.jobs({"setup"}).status == 0);
  const auto server = serve({"--surfaces", "jobs", "--pg", boss.postgres.dsn()});
  Browser browser;
  browser.open(url_of(*server) + "/");
  choose(browser, "publish", "jobs");
  browser.type("#publish-queue", "mail");
  publish(browser);
  const std::string id = boss.postgres.value("SELECT id FROM pgboss.job");
  choose(browser, "follow", "jobs");
  browser.type("#follow-job", id);
  follow(browser);
  CHECK(shows(browser, "message", "pending"));
  boss.postgres.exec("UPDATE pgboss.job SET state = 'active'");
  CHECK(shows(browser, "message", "active"));
  boss.postgres.exec("UPDATE pgboss.job SET state = 'completed'");
  CHECK(shows(browser, "message", "completed"));
}

}  // namespace
}  // namespace rt::test

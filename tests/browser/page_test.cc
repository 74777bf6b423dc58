// The page at / in a real Chromium, before a real `rtctl serve`.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "browser/browser.h"
#include "integration/child_process.h"
#include "integration/patience.h"
#include "integration/running_tool.h"

using namespace rt::test;
using nlohmann::json;

namespace {

// A server with the page, in memory; on a port that it gets again when it is started again.
class Served {
 public:
  explicit Served(std::vector<std::string> more = {})
      : more_(std::move(more)), address_("127.0.0.1:" + std::to_string(free_port())) {
    start();
  }

  void start() {
    std::vector<std::string> words = {"rtctl", "serve", "--ui", "--listen", address_};
    words.insert(words.end(), more_.begin(), more_.end());
    server_ = std::make_unique<RunningTool>(std::move(words));
    REQUIRE(server_->wait_for("page:"));
  }
  void stop() {
    server_->signal(SIGTERM);
    const Outcome outcome = server_->finish();
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
  }
  std::string url() const { return "http://" + address_; }

  void publish(const std::string& topic, const std::string& data) const {
    tool({"publish", "topic", topic, data});
  }
  void set_run(const std::string& id, const std::string& status) const {
    tool({"publish", "run", "--id", id, "--status", status});
  }

 private:
  void tool(std::vector<std::string> words) const {
    words.insert(words.begin(), "rtctl");
    words.insert(words.end(), {"--url", url()});
    const Outcome outcome = run(std::move(words));
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
  }

  std::vector<std::string> more_;
  std::string address_;
  std::unique_ptr<RunningTool> server_;
};

struct TemporaryFolder {
  std::string path = make_folder("page-history");
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
};

// Errors of the console, refused requests and violations of the policy among them.
std::string errors_in(const json& complaints) {
  std::string text;
  for (const json& each : complaints) {
    if (each["level"] == "SEVERE" || each["level"] == "WARNING") text += each.dump() + "\n";
  }
  return text;
}

void choose(Browser& browser, const std::string& form, const std::string& surface) {
  browser.click("#" + form + "-surface option[value=" + surface + "]");
}

bool is_connected(Browser& browser) {
  return browser.eventually(
      "return document.getElementById('follow-state').textContent === 'connected'");
}

void follow_topic(Browser& browser, const std::string& topic) {
  choose(browser, "follow", "topics");
  browser.type("#follow-topic", topic);
  browser.click("#follow-go");
  REQUIRE(is_connected(browser));
}

bool eventually_shows(Browser& browser, std::size_t events) {
  return browser.eventually("return document.querySelectorAll('#events li').length >= " +
                            std::to_string(events));
}

struct Shown {
  std::string name;
  std::string id;
  std::string data;
};

// The list of events, oldest first.
std::vector<Shown> events_shown(Browser& browser) {
  const json items = browser.run(
      "return [...document.querySelectorAll('#events li')].reverse().map((item) => ["
      "item.querySelector('.name').textContent,"
      "(item.querySelector('.id') || {textContent: ''}).textContent,"
      "item.querySelector('pre').textContent])");
  std::vector<Shown> events;
  for (const json& item : items) events.push_back({item[0], item[1], item[2]});
  return events;
}

}  // namespace

TEST_CASE("page: it loads, counts and keeps looking without an error or a policy violation",
          "[browser]") {
  const Served served;
  Browser browser;
  browser.open(served.url() + "/");
  CHECK(browser.eventually("return document.getElementById('status').textContent === 'ok'"));
  // Two looks make a rate; the tiles then have no dash left but for what is not there.
  CHECK(
      browser.eventually("return [...document.querySelectorAll('.tile output')].every((o) => "
                         "!o.textContent.startsWith('–'))"));
  CHECK(browser.eventually("return document.querySelectorAll('#surfaces tr').length === 3"));
  CHECK(browser.run("return document.title").get<std::string>().find("127.0.0.1") !=
        std::string::npos);
  CHECK(errors_in(browser.complaints()).empty());
}

TEST_CASE("page: without metrics and surfaces it still shows what there is", "[browser]") {
  const Served served({"--no-metrics", "--surfaces", "topics"});
  Browser browser;
  browser.open(served.url() + "/");
  CHECK(browser.eventually("return document.getElementById('status').textContent === 'ok'"));
  CHECK(browser.eventually("return document.querySelectorAll('#surfaces tr').length === 1"));
  // What is not served is not offered.
  CHECK(
      browser.eventually("return [...document.querySelectorAll('#follow-surface option')].map((o) "
                         "=> o.value).join() === 'topics'"));
  // The one request that has no answer is made once.
  CHECK(
      browser.eventually("return performance.getEntriesByType('resource')"
                         ".filter((r) => r.name.endsWith('/health')).length >= 3"));
  CHECK(browser.complaints().size() == 1);
}

TEST_CASE("page: it never scrolls sideways, on a phone as on a desk", "[browser]") {
  const Served served;
  served.publish("a-topic-with-a-name-that-is-rather-long-for-a-telephone", "1");
  Browser browser;
  for (const int width : {320, 390, 768, 1280}) {
    CAPTURE(width);
    browser.look(width, 800, "dark");
    browser.open(served.url() + "/");
    REQUIRE(browser.eventually("return document.querySelectorAll('#topics tr').length === 1"));
    CHECK(browser.run("return document.documentElement.scrollWidth <= innerWidth") == true);
  }
}

TEST_CASE("page: what is published elsewhere to a followed topic appears", "[browser]") {
  const Served served;
  Browser browser;
  browser.open(served.url() + "/");
  follow_topic(browser, "news");
  served.publish("news", R"({"n":1})");
  served.publish("news", R"({"n":2})");
  REQUIRE(eventually_shows(browser, 2));
  const std::vector<Shown> events = events_shown(browser);
  REQUIRE(events.size() == 2);
  CHECK(events[0].name == "message");
  CHECK(events[0].data == R"({"n":1})");
  CHECK(events[1].data == R"({"n":2})");
  CHECK(browser.eventually("return document.querySelector('#topics td')?.textContent === 'news'"));
}

TEST_CASE("page: pause holds events back and says so, clear forgets them", "[browser]") {
  const Served served;
  Browser browser;
  browser.open(served.url() + "/");
  follow_topic(browser, "news");
  browser.click("#pause");
  served.publish("news", "1");
  CHECK(browser.eventually(
      "return document.getElementById('event-counts').textContent === '1 received, 1 held back'"));
  CHECK(events_shown(browser).empty());
  browser.click("#pause");
  CHECK(eventually_shows(browser, 1));
  browser.click("#clear");
  CHECK(events_shown(browser).empty());
  CHECK(browser.text("#event-counts") == "0 received");
}

TEST_CASE("page: what is published on it arrives at a subscriber outside", "[browser]") {
  const Served served;
  RunningTool subscriber({"rtctl", "sub", "topic", "from-page", "--url", served.url(), "--format",
                          "ndjson", "--count", "1"});
  Browser browser;
  browser.open(served.url() + "/");
  // The page itself tells when the subscriber is there.
  REQUIRE(
      browser.eventually("return [...document.querySelectorAll('#topics tr')]"
                         ".some((row) => row.textContent.startsWith('from-page1'))"));
  choose(browser, "publish", "topics");
  browser.type("#publish-topic", "from-page");
  browser.type("#publish-data", "{\"text\": \"a \\\"quoted\\\" word\"}");
  browser.click("#publish-go");
  const Outcome outcome = subscriber.finish();
  CHECK(outcome.status == 0);
  const json record = json::parse(outcome.out);
  CHECK(json::parse(record["data"].get<std::string>()) == json{{"text", "a \"quoted\" word"}});
  CHECK(browser.eventually(
      "return document.getElementById('publish-note').textContent.startsWith('Published')"));
}

TEST_CASE("page: what is not JSON is not sent, a refusal is shown with the server's reason",
          "[browser]") {
  const Served served;
  Browser browser;
  browser.open(served.url() + "/");
  choose(browser, "publish", "topics");
  browser.type("#publish-data", "{oops");
  browser.click("#publish-go");
  CHECK(browser.text("#publish-note").find("Data is not JSON") == 0);
  browser.type("#publish-topic", "no such name!");
  browser.type("#publish-data", "1");
  browser.click("#publish-go");
  CHECK(browser.eventually(
      "return document.getElementById('publish-note').textContent.startsWith('Refused, 400: "
      "invalid topic')"));
}

TEST_CASE("page: the server stops and starts again, each change of a run is seen once, in order",
          "[browser]") {
  const TemporaryFolder history;
  Served served({"--history", history.path});
  served.set_run("r", "S0");
  Browser browser;
  browser.open(served.url() + "/");
  choose(browser, "follow", "runs");
  browser.type("#follow-run_id", "r");
  browser.click("#follow-go");
  REQUIRE(eventually_shows(browser, 1));
  constexpr int kChanges = 30;
  for (int n = 1; n <= kChanges; ++n) {
    if (n == 10 || n == 20) {
      REQUIRE(eventually_shows(browser, static_cast<std::size_t>(n)));
      served.stop();
      served.start();
      // What changes now is there before the browser is back: it waits 1 s or more.
    }
    served.set_run("r", "S" + std::to_string(n));
  }
  REQUIRE(browser.eventually(
      "return document.querySelectorAll('#events li').length >= " + std::to_string(kChanges + 1),
      std::chrono::seconds(40)));
  const std::vector<Shown> events = events_shown(browser);
  REQUIRE(events.size() == kChanges + 1);
  CHECK(events[0].name == "initial");
  for (std::size_t n = 0; n < events.size(); ++n) {
    CHECK(json::parse(events[n].data)["status"] == "S" + std::to_string(n));
    if (n > 0) CHECK(events[n].name == "delta");  // not told anew
    if (n > 1) CHECK(events[n].id > events[n - 1].id);
  }
  CHECK(browser.text("#follow-note").find("lost and found again 2 times") != std::string::npos);
  CHECK(browser.text("#follow-state") == "connected");
}

TEST_CASE("page: a stream that is refused says why, and is not asked for again", "[browser]") {
  const TemporaryFolder folder;
  const std::string token = folder.path + "/token";
  std::ofstream(token) << "secret\n";
  const Served served({"--listen-token-file", token});
  Browser browser;
  browser.open(served.url() + "/");
  choose(browser, "follow", "topics");
  browser.click("#follow-go");
  CHECK(browser.eventually(
      "return document.getElementById('follow-state').textContent === 'refused'"));
  CHECK(browser.text("#follow-note").find("401: subscribe requires valid token") == 0);
}

TEST_CASE("page: markup in events is shown as text, wherever it stands", "[browser]") {
  const Served served;
  Browser browser;
  browser.open(served.url() + "/");
  const std::string hostile = "<img src=x onerror=\"window.hit=1\"><script>window.hit=1</script>";
  follow_topic(browser, "news");
  served.publish("news", json(hostile).dump());
  REQUIRE(eventually_shows(browser, 1));
  CHECK(json::parse(events_shown(browser).at(0).data) == hostile);
  choose(browser, "follow", "runs");
  browser.click("#follow-go");
  REQUIRE(is_connected(browser));
  served.set_run("<b id=hit>x</b>", hostile);
  REQUIRE(eventually_shows(browser, 1));
  CHECK(json::parse(events_shown(browser).at(0).data)["status"] == hostile);
  CHECK(browser.run(
            "return document.querySelectorAll('#events img, #events script, #events b').length") ==
        0);
  CHECK(browser.run("return window.hit === undefined") == true);
  CHECK(errors_in(browser.complaints()).empty());
}

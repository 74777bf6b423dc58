#include "browser/browser.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/text.h"
#include "http/http_post.h"
#include "integration/child_process.h"
#include "integration/patience.h"

namespace rt::test {
namespace {

using nlohmann::json;

// A browser on two busy cores takes seconds to start.
constexpr auto kPatience = std::chrono::seconds(60);

bool is_installed(const std::string& program) {
  for (const char* folder : {"/usr/bin/", "/usr/local/bin/", "/bin/"}) {
    if (::access((folder + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

void require_installed(const char* program, const char* package) {
  if (is_installed(program)) return;
  give_up(std::string("the browser tests need ") + program + ": apt-get install " + package +
          ", or scripts/test, which installs what is missing");
}

json capabilities(const std::string& profile, const Browser::Options& wanted) {
  const json arguments = {"--headless=new",
                          "--no-sandbox",  // which root cannot have
                          "--disable-gpu",
                          "--disable-quic",
                          "--disable-dev-shm-usage",
                          "--no-first-run",
                          "--disable-background-networking",
                          "--disable-component-update",
                          "--disable-sync",
                          "--user-data-dir=" + profile,
                          "--window-size=1280,900"};
  const json options = {{"args", arguments}};
  return {{"capabilities",
           {{"alwaysMatch",
             {{"browserName", "chrome"},
              {"acceptInsecureCerts", wanted.any_certificate},
              {"goog:chromeOptions", options},
              {"goog:loggingPrefs", {{"browser", "ALL"}}}}}}}};
}

std::string decoded_base64(const std::string& text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) break;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    bytes.push_back(static_cast<char>(bits >> have & 0xFF));
  }
  return bytes;
}

}  // namespace

Browser::Browser(const Options& options) {
  require_installed("chromium", "chromium");
  require_installed("chromedriver", "chromium-driver");
  folder_ = make_folder("browser");
  const std::string port = std::to_string(free_port());
  driver_url_ = "http://127.0.0.1:" + port;
  // SIGTERM lets it end its browser too.
  driver_ = launch({"chromedriver", "--port=" + port}, folder_ + "/chromedriver.log",
                   {.death_signal = SIGTERM});
  const json wanted = capabilities(folder_ + "/profile", options);
  json created;
  const bool there = test::eventually(kPatience, [&] {
    HttpPost request(driver_url_ + "/session", {}, kPatience);
    const auto reply = request.post("application/json", wanted.dump());
    if (!reply) return false;  // it does not listen yet
    created = json::parse(reply->body)["value"];
    return true;
  });
  if (!there || !created.contains("sessionId")) {
    const std::string log = read_text(folder_ + "/chromedriver.log");
    give_up("no browser: " + created.dump() + "\n" + log);
  }
  session_ = "/session/" + created["sessionId"].get<std::string>();
}

// The browser first, by its own command; then the driver, by its process id.
Browser::~Browser() {
  HttpPost request(driver_url_ + session_ + "/goog/cdp/execute", {}, std::chrono::seconds(10));
  (void)request.post("application/json",
                     json({{"cmd", "Browser.close"}, {"params", json::object()}}).dump());
  ::kill(driver_, SIGTERM);
  int status = 0;
  const bool ended = test::eventually(
      std::chrono::seconds(10), [&] { return ::waitpid(driver_, &status, WNOHANG) == driver_; });
  if (!ended) kill_child(driver_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Browser::Answer Browser::exchange(const std::string& path, const json& body) {
  HttpPost request(driver_url_ + session_ + path, {}, kPatience);
  const auto reply = request.post("application/json", body.dump());
  if (!reply) give_up("chromedriver: " + reply.error().text);
  return {reply->status, json::parse(reply->body)["value"]};
}

json Browser::post(const std::string& path, const json& body) {
  const Answer answer = exchange(path, body);
  if (answer.status != 200) {
    give_up(path + " " + body.dump() + ": " + answer.value.value("message", answer.value.dump()));
  }
  return answer.value;
}

// The page may put another element in the place of the one that was found: then that one is meant.
void Browser::act(const std::string& selector, const std::string& command, const json& body) {
  Answer answer;
  test::eventually(kPatience, [&] {
    answer = exchange("/element/" + element(selector) + command, body);
    return answer.status == 200 || answer.value["error"] != "stale element reference";
  });
  if (answer.status != 200) {
    give_up(selector + " " + command + ": " + answer.value.value("message", answer.value.dump()));
  }
}

json Browser::devtools(const std::string& command, const json& parameters) {
  return post("/goog/cdp/execute", {{"cmd", command}, {"params", parameters}});
}

void Browser::open(const std::string& url) {
  post("/url", {{"url", url}});
}

json Browser::run(const std::string& script) {
  return post("/execute/sync", {{"script", script}, {"args", json::array()}});
}

std::string Browser::element(const std::string& selector) {
  const json found = post("/element", {{"using", "css selector"}, {"value", selector}});
  return found.begin().value().get<std::string>();  // {"element-6066-...": id}
}

void Browser::click(const std::string& selector) {
  act(selector, "/click", json::object());
}

void Browser::type(const std::string& selector, const std::string& text) {
  act(selector, "/clear", json::object());
  act(selector, "/value", {{"text", text}});
}

std::string Browser::text(const std::string& selector) {
  std::string quoted;
  append_json_string(quoted, selector);
  return run("return document.querySelector(" + quoted + ").textContent").get<std::string>();
}

bool Browser::eventually(const std::string& script, Duration patience) {
  return test::eventually(patience, [&] { return run(script) == true; });
}

json Browser::complaints() {
  return post("/se/log", {{"type", "browser"}});
}

void Browser::look(int width, int height, const std::string& scheme) {
  devtools(
      "Emulation.setDeviceMetricsOverride",
      {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", width < 600}});
  const json feature = {{"name", "prefers-color-scheme"}, {"value", scheme}};
  devtools("Emulation.setEmulatedMedia", {{"features", json::array({feature})}});
}

std::string Browser::screenshot() {
  const json taken = devtools("Page.captureScreenshot", {{"format", "png"}});
  return decoded_base64(taken["data"].get<std::string>());
}

}  // namespace rt::test

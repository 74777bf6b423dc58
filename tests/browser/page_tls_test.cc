// The page over https in a real Chromium: what comes by HTTP/2 is followed as over plain sockets.
#include <catch2/catch.hpp>
#include <filesystem>

#include "browser/browser.h"
#include "integration/child_process.h"
#include "integration/running_tool.h"

using namespace rt::test;

namespace {

struct Certificate {
  std::string folder = make_folder("page-tls");
  Certificate() {
    run_openssl(folder,
                "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 1 "
                "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1");
  }
  ~Certificate() { std::filesystem::remove_all(folder); }
};

}  // namespace

TEST_CASE("page over https: it follows a topic and publishes to it, on one HTTP/2 connection",
          "[browser]") {
  const Certificate certificate;
  const std::string address = "127.0.0.1:" + std::to_string(free_port());
  RunningTool server({"rtctl", "serve", "--ui", "--listen", address, "--tls-cert",
                      certificate.folder + "/cert.pem", "--tls-key",
                      certificate.folder + "/key.pem"});
  REQUIRE(server.wait_for("page:     https://" + address + "/"));
  Browser browser({.any_certificate = true});
  browser.open("https://" + address + "/");
  CHECK(browser.run("return performance.getEntriesByType('navigation')[0].nextHopProtocol") ==
        "h2");
  browser.click("#follow-surface option[value=topics]");
  browser.type("#follow-topic", "t");
  browser.click("#follow-go");
  REQUIRE(browser.eventually(
      "return document.getElementById('follow-state').textContent === 'connected'"));
  browser.click("#publish-surface option[value=topics]");
  browser.type("#publish-topic", "t");
  browser.type("#publish-data", "{\"n\":42}");
  browser.click("#publish-go");
  REQUIRE(browser.eventually("return document.querySelectorAll('#events li').length >= 1"));
  CHECK(browser.text("#events pre") == "{\"n\":42}");
  for (const auto& complaint : browser.complaints()) {
    INFO(complaint.dump());
    CHECK(complaint["level"] != "SEVERE");
  }
}

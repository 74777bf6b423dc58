// The SSE client over what lies between it and a server: TLS, HTTP/2, client certificates, gzip, a
// Unix socket, a proxy, .netrc. A real nginx stands in front of a scripted server.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <sstream>

#include "integration/child_process.h"
#include "integration/patience.h"
#include "integration/private_nginx.h"
#include "integration/running_tool.h"
#include "integration/scripted_server.h"

namespace rt::test {
namespace {

// Two events, one after the other only when the first was acknowledged, then the stream stays open.
// Each connection is served anew: a reconnect sees the same.
struct TwoEvents {
  mutable std::mutex mutex;
  std::vector<std::string> received;  // under the mutex
  ScriptedServer server{[this](Peer& peer, std::size_t) {
    std::string request = peer.read_request();
    {
      const std::lock_guard lock(mutex);
      received.push_back(std::move(request));
    }
    peer.open_stream("Cache-Control: no-cache\r\n");
    peer.send("id: 1\ndata: first\n\n");
    peer.wait_until_acknowledged();
    peer.send("id: 2\ndata: second\n\n");
    peer.hold();
  }};

  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex);
    return received;
  }
};

void check_both(const std::vector<std::string>& more, const std::string& url) {
  std::vector<std::string> words = {"rtctl",   "sub", url,         "--data-only",
                                    "--count", "2",   "--timeout", "20s"};
  words.insert(words.end(), more.begin(), more.end());
  const Outcome end = run(words);
  INFO(url << ": " << end.err);
  CHECK(end.status == 0);
  CHECK(end.out == "first\nsecond\n");
}

TEST_CASE("http client: TLS with a named authority, HTTP/2 or HTTP/1.1", "[http_client]") {
  TwoEvents events;
  const PrivateNginx nginx(events.server.port());
  check_both({"--cacert", nginx.ca_file()}, nginx.tls_url());
  check_both({"--cacert", nginx.ca_file(), "--http1.1"}, nginx.tls_url());
  check_both({"--insecure"}, nginx.tls_url());
  check_both({"--http2"}, nginx.h2c_url());
}

TEST_CASE("http client: a certificate that nobody vouches for ends it with exit 3 and the way out",
          "[http_client]") {
  TwoEvents events;
  const PrivateNginx nginx(events.server.port());
  const Outcome end = run({"rtctl", "sub", nginx.tls_url(), "--timeout", "20s"});
  CHECK(end.status == 3);
  CHECK(end.out.empty());
  CHECK(end.err.find("TLS: ") != std::string::npos);
  CHECK(end.err.find("--cacert FILE") != std::string::npos);
  CHECK(events.requests().empty());
}

TEST_CASE("http client: a client certificate is shown where one is asked for", "[http_client]") {
  TwoEvents events;
  const PrivateNginx nginx(events.server.port());
  check_both({"--cacert", nginx.ca_file(), "--cert", nginx.file("client.pem"), "--key",
              nginx.file("client.key")},
             nginx.client_certificate_url());
  const Outcome none = run({"rtctl", "sub", nginx.client_certificate_url(), "--cacert",
                            nginx.ca_file(), "--timeout", "20s"});
  CHECK(none.status == 4);  // nginx answers 400
}

TEST_CASE("http client: gzip is decoded as it comes, and a Unix socket is a way in",
          "[http_client]") {
  TwoEvents events;
  const PrivateNginx nginx(events.server.port());
  check_both({"--compressed"}, nginx.gzip_url());
  check_both({"--unix-socket", nginx.unix_socket()}, "http://anything/stream");
  check_both({"--connect-to", "example.test:80:" + nginx.gzip_url().substr(7)},
             "http://example.test/stream");
}

TEST_CASE("http client: a proxy is asked for the whole URL, unless NO_PROXY names the host",
          "[http_client]") {
  TwoEvents events;
  const std::string proxy = events.server.url("");
  check_both({"--proxy", proxy}, "http://stream.test/path?q=1");
  const std::vector<std::string> requests = events.requests();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].rfind("GET http://stream.test/path?q=1 HTTP/1.1\r\n", 0) == 0);
  const RunningTool::Environment environment = {{"http_proxy", "http://127.0.0.1:1"},
                                                {"NO_PROXY", "127.0.0.1"}};
  const Outcome end =
      run({"rtctl", "sub", events.server.url(), "--data-only", "--count", "1"}, {}, environment);
  CHECK(end.out == "first\n");
}

TEST_CASE("http client: user and password come from .netrc when asked to", "[http_client]") {
  TwoEvents events;
  const std::string home = make_folder("netrc");
  std::ofstream(home + "/.netrc") << "machine 127.0.0.1 login ann password s3cret\n";
  const Outcome end =
      run({"rtctl", "sub", events.server.url(), "--netrc", "--data-only", "--count", "1"}, {},
          {{"HOME", home}});
  std::filesystem::remove_all(home);
  CHECK(end.out == "first\n");
  const std::vector<std::string> requests = events.requests();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].find("Authorization: Basic YW5uOnMzY3JldA==\r\n") != std::string::npos);
}

TEST_CASE("http client: an idle tail uses no processor time", "[http_client]") {
  ScriptedServer server([](Peer& peer, std::size_t) {
    peer.read_request();
    peer.open_stream();
    peer.send("data: x\n\n");
    peer.hold();
  });
  RunningTool tail({"rtctl", "sub", server.url(), "--data-only", "--wait", "2s"});
  REQUIRE(tail.wait_for("x\n"));
  // Processor time in ticks of 10 ms, and how often it was woken; nothing once it has ended.
  struct Use {
    long ticks = 0;
    long wakes = 0;
  };
  const auto use = [&tail]() -> std::optional<Use> {
    const std::string folder = "/proc/" + std::to_string(tail.pid());
    std::istringstream stat(read_text(folder + "/stat"));
    std::vector<std::string> words(15);
    for (std::string& word : words) stat >> word;
    if (words[2] == "Z") return std::nullopt;
    const std::string status = read_text(folder + "/status");
    const std::string name = "\nvoluntary_ctxt_switches:";
    return Use{std::stol(words[13]) + std::stol(words[14]),
               std::stol(status.substr(status.find(name) + name.size()))};
  };
  const std::optional<Use> before = use();
  REQUIRE(before);
  Use last = *before;
  // Two silent seconds end it: that is what is waited for here.
  CHECK(eventually(std::chrono::seconds(20), [&] {
    const auto now = use();
    if (now) last = *now;
    return !now;
  }));
  CHECK(tail.finish().status == 0);
  CHECK(last.ticks - before->ticks <= 5);  // its ending is in it; a loop would be 200
  CHECK(last.wakes - before->wakes <= 5);
}

}  // namespace
}  // namespace rt::test

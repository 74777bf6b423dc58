// rtctl serve over TLS and HTTP/2 as its users meet it: curl, rtctl subscribe, a certificate made
// by openssl, SIGHUP.
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "integration/child_process.h"
#include "integration/patience.h"
#include "integration/running_tool.h"
#include "proto/http2_session.h"
#include "server/http2_connection.h"
#include "server/http_client.h"

using namespace rt;
using namespace rt::test;
using namespace std::chrono_literals;

namespace {

// `rtctl serve` with rows in memory and, unless `plain`, a self-signed certificate for localhost.
class TlsServer {
 public:
  enum class Kind { tls, plain };

  explicit TlsServer(Kind kind = Kind::tls) : folder_(make_folder("serve-tls")) {
    std::vector<std::string> words = {"rtctl", "serve", "--listen", "127.0.0.1:0"};
    if (kind == Kind::tls) {
      renew("first");
      words.insert(words.end(), {"--tls-cert", certificate(), "--tls-key", file("server.key")});
    }
    tool_ = std::make_unique<RunningTool>(std::move(words));
    REQUIRE(tool_->wait_for("publish:"));
    const std::string& text = tool_->error_text();
    const std::size_t at = text.find("127.0.0.1:", text.find("url="));
    address_ = *io::parse_address(text.substr(at, text.find(' ', at) - at));
    const bool tls = kind == Kind::tls;
    CHECK((text.find("url=https://") != std::string::npos) == tls);
    url_ = fmt::format("{}://localhost:{}", tls ? "https" : "http", address_.port());
  }
  ~TlsServer() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // A new certificate of this organisation, in place of the one before.
  void renew(const std::string& organisation) const {
    run_openssl(folder_,
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
                "-keyout server.key -out server.pem -subj /CN=localhost/O=" +
                    organisation + " -addext subjectAltName=DNS:localhost");
  }
  // Standard output of curl with these words and the path's URL.
  std::string curl(const std::string& words, const std::string& path) const {
    const std::string out = file("curl.out");
    const std::string err = file("curl.log");
    std::filesystem::remove(err);
    const pid_t pid = launch({"/bin/sh", "-c",
                              fmt::format("curl -sS --max-time 20 --cacert {} {} '{}{}' > {}",
                                          certificate(), words, url_, path, out)},
                             err);
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    return status == 0 ? read_text(out) : "failed: " + read_text(err);
  }
  std::unique_ptr<RunningTool> subscribe(std::vector<std::string> more) const {
    std::vector<std::string> words = {"rtctl",    "sub",         "runs",      "--url", url_,
                                      "--cacert", certificate(), "--timeout", "20s"};
    words.insert(words.end(), more.begin(), more.end());
    return std::make_unique<RunningTool>(std::move(words));
  }
  void publish(const std::string& row) const {
    CHECK(curl(fmt::format("-d '{}' -o /dev/null -w '%{{http_code}}'", row), "/v1/runs") == "200");
  }

  RunningTool& tool() { return *tool_; }
  const io::Address& address() const { return address_; }
  std::string certificate() const { return file("server.pem"); }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }

 private:
  std::string folder_;
  std::unique_ptr<RunningTool> tool_;
  io::Address address_;
  std::string url_;
};

const std::string kVersion = "-o /dev/null -w '%{http_version} %{http_code}'";

}  // namespace

TEST_CASE("serve http2: ALPN chooses HTTP/2, or HTTP/1.1 for who wants that", "[serve_http2]") {
  const TlsServer server;
  CHECK(server.curl("--http2 " + kVersion, "/health") == "2 200");
  CHECK(server.curl("--http1.1 " + kVersion, "/health") == "1.1 200");
  CHECK(server.curl("--http1.1 --no-alpn " + kVersion, "/health") == "1.1 200");
  CHECK(server.curl("--tlsv1.2 --tls-max 1.2 " + kVersion, "/health") == "2 200");
  CHECK(server.curl("--http1.1 -d '{\"id\":\"a\"}' " + kVersion, "/v1/runs") == "1.1 200");
  CHECK(server.curl("--http2 -d '{\"id\":\"a\"}' " + kVersion, "/v1/runs") == "2 200");
  CHECK(server.curl("--http2 " + kVersion, "/nowhere") == "2 404");
  // Two requests on one connection of HTTP/1.1.
  const std::string twice = server.curl(
      "--http1.1 -w '%{num_connects}\\n' -o /dev/null -o /dev/null "
      "'https://localhost:" +
          std::to_string(server.address().port()) + "/health'",
      "/health");
  CHECK(twice == "1\n0\n");
}

TEST_CASE("serve http2: without TLS, HTTP/2 is spoken with who begins with it", "[serve_http2]") {
  const TlsServer server(TlsServer::Kind::plain);
  std::ofstream(server.certificate()) << "";
  CHECK(server.curl("--http2-prior-knowledge " + kVersion, "/health") == "2 200");
  CHECK(server.curl("--http1.1 " + kVersion, "/health") == "1.1 200");
  // An upgrade is not offered (RFC 9113 removed it): the answer comes as HTTP/1.1.
  CHECK(server.curl("--http2 " + kVersion, "/health") == "1.1 200");
}

TEST_CASE("serve http2: rtctl subscribe follows over TLS, and resumes after its last event",
          "[serve_http2]") {
  const TlsServer server;
  server.publish(R"({"id":"r","status":"1"})");
  for (const std::string version : {"", "--http1.1"}) {
    CAPTURE(version);
    std::vector<std::string> words = {"--format", "ndjson", "--count", "2"};
    if (!version.empty()) words.push_back(version);
    auto tail = server.subscribe(words);
    REQUIRE(tail->wait_for("\"initial\""));
    server.publish(R"({"id":"r","status":"2"})");
    const Outcome first = tail->finish();
    CHECK(first.status == 0);
    CHECK(first.out.find("\\\"status\\\":\\\"2\\\"") != std::string::npos);
    std::string id;
    std::istringstream lines(first.out);
    for (std::string line; std::getline(lines, line);) {
      const auto record = nlohmann::json::parse(line);
      if (record["type"] == "event") id = record["id"];
    }
    server.publish(R"({"id":"r","status":"3"})");
    std::vector<std::string> again = {"--format", "ndjson", "--count",
                                      "1",        "-H",     "Last-Event-ID: " + id};
    if (!version.empty()) again.push_back(version);
    const Outcome second = server.subscribe(again)->finish();
    CHECK(second.status == 0);
    CHECK(second.out.find("\"delta\"") != std::string::npos);
    CHECK(second.out.find("\\\"status\\\":\\\"3\\\"") != std::string::npos);
  }
}

TEST_CASE("serve http2: SIGHUP gives new connections the new certificate, old streams go on",
          "[serve_http2]") {
  TlsServer server;
  const std::string show = "-v -o /dev/null --stderr -";
  CHECK(server.curl(show, "/health").find("O=first") != std::string::npos);
  auto tail = server.subscribe({"--format", "ndjson", "--count", "2"});
  server.publish(R"({"id":"r","status":"1"})");
  REQUIRE(tail->wait_for("\"event\""));

  server.renew("second");
  server.tool().signal(SIGHUP);
  REQUIRE(server.tool().wait_for("O=second"));
  CHECK(server.curl(show, "/health").find("O=second") != std::string::npos);

  // One that cannot be loaded changes nothing, and is said.
  const std::string good = read_text(server.certificate());
  std::filesystem::copy(server.certificate(), server.file("kept.pem"));
  std::ofstream(server.certificate()) << "no certificate\n";
  server.tool().signal(SIGHUP);
  REQUIRE(server.tool().wait_for("the certificate is not loaded"));
  CHECK(server.tool().error_text().find("no start line") != std::string::npos);
  std::ofstream(server.certificate()) << good;  // curl trusts it
  CHECK(server.curl(show, "/health").find("O=second") != std::string::npos);

  server.publish(R"({"id":"r","status":"2"})");
  const Outcome outcome = tail->finish();
  CHECK(outcome.status == 0);
  CHECK(outcome.out.find("\\\"status\\\":\\\"2\\\"") != std::string::npos);
  server.tool().signal(SIGTERM);
  CHECK(server.tool().finish().status == 0);
}

TEST_CASE("serve http2: what is no TLS is closed and counted, who speaks it is served",
          "[serve_http2]") {
  const TlsServer server;
  for (const std::string& bytes : {std::string("GET /health HTTP/1.1\r\nHost: a\r\n\r\n"),
                                   std::string(http2::kPreface), std::string(200, '\0')}) {
    HttpClient client(server.address());
    client.send(bytes);
    CHECK(client.until_closed().find("HTTP/1.1") == std::string::npos);
    CHECK(client.closed());
  }
  const auto health = nlohmann::json::parse(server.curl("", "/health"));
  CHECK(health["totals"]["handshakes_failed"] == 3);
  // Of the certificate's own protocols none is what this client offers.
  CHECK(server.curl("--tls-max 1.1 " + kVersion, "/health").find("failed") == 0);
}

TEST_CASE("serve http2: topics and their messages pass over TLS", "[serve_http2]") {
  const TlsServer server;
  RunningTool tail({"rtctl", "sub", "topic", "orders", "--url",
                    "https://localhost:" + std::to_string(server.address().port()), "--cacert",
                    server.certificate(), "--json", "--records", "all", "--count", "1"});
  REQUIRE(tail.wait_for("listening orders"));
  CHECK(server.curl("-d '{\"data\":{\"n\":1}}' " + kVersion, "/topics/orders/events") == "2 200");
  const Outcome outcome = tail.finish();
  CHECK(outcome.status == 0);
  CHECK(outcome.out.find("{\\\"n\\\":1}") != std::string::npos);
}

TEST_CASE("serve http2: a certificate or key that cannot be used is one line and exit 2",
          "[serve_http2]") {
  const TlsServer server;  // for its files
  const auto error = [](const std::string& certificate, const std::string& key) {
    const Outcome outcome = run(
        {"rtctl", "serve", "--listen", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key});
    CHECK(outcome.status == 2);
    CHECK(outcome.out.empty());
    return outcome.err;
  };
  CHECK(error("/nonexistent", server.file("server.key")).find("certificate file /nonexistent") !=
        std::string::npos);
  CHECK(error(server.certificate(), server.certificate()).find("cannot use key file") !=
        std::string::npos);
  const Outcome alone = run({"rtctl", "serve", "--tls-cert", server.certificate()});
  CHECK(alone.status == 2);
  CHECK(alone.err.find("--tls-key") != std::string::npos);
}

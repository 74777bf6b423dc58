// rtbench with subscribers over HTTP/2 and TLS against rtctl serve on a real PostgreSQL.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "integration/bench_run.h"
#include "integration/child_process.h"
#include "integration/private_postgres.h"
#include "integration/running_tool.h"
#include "temp_folder.h"

namespace {

using nlohmann::json;
using rt::test::add_settings;
using rt::test::BenchRun;
using rt::test::Outcome;
using rt::test::PrivatePostgres;
using rt::test::RunningTool;
using rt::test::take_report;

// A server on the database, with a certificate for localhost if `tls`.
class Served {
 public:
  Served(const PrivatePostgres& postgres, bool tls) : folder_(rt::test::make_folder("bench-tls")) {
    REQUIRE(rt::test::run({"rtctl", "setup", "--pg", postgres.dsn()}).status == 0);
    std::vector<std::string> words = {"rtctl",       "serve", "--listen",
                                      "127.0.0.1:0", "--pg",  postgres.dsn()};
    if (tls) {
      rt::test::run_openssl(folder_,
                            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
                            "-days 2 -keyout server.key -out server.pem -subj /CN=localhost "
                            "-addext subjectAltName=DNS:localhost");
      words.insert(words.end(),
                   {"--tls-cert", certificate(), "--tls-key", folder_ + "/server.key"});
    }
    tool_ = std::make_unique<RunningTool>(words);
    REQUIRE(tool_->wait_for("streaming from"));
    const std::string& text = tool_->error_text();
    const std::size_t at = text.find("127.0.0.1:", text.find("://127.0.0.1:"));
    const std::string address = text.substr(at, text.find(' ', at) - at);
    url_ = std::string(tls ? "https" : "http") + "://localhost" + address.substr(address.find(':'));
  }
  ~Served() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  const std::string& url() const { return url_; }
  std::string certificate() const { return folder_ + "/server.pem"; }

 private:
  std::string folder_;
  std::unique_ptr<RunningTool> tool_;
  std::string url_;
};

// 400 subscribers of 50 rows, 100 changes a second for two seconds.
BenchRun bench(const PrivatePostgres& postgres, const Served& server, const std::string& request,
               const std::vector<std::string>& more = {}) {
  const rt::test::TempFolder folder;
  const std::string path = folder / "report.json";
  std::vector<std::string> words = {"rtbench",    "run",   "preset:runs", "--no-selftest",
                                    "--progress", "plain", "--report",    "json=" + path};
  add_settings(words, {"target.url=" + server.url(), "target.request=" + request,
                       "target.pg=" + postgres.dsn(), "subscriptions.topics.count=50",
                       "load.connections=400", "publish.0.rate=100/s", "phases.warm.hold=200ms",
                       "phases.main.hold=2s", "phases.drain.hold=5s",
                       "thresholds=[{\"expr\": \"delivery.p95 < 5s\"}]",
                       "gates.waive=[\"client_saturation\", \"open_loop\", \"warm_up\", "
                       "\"receive_queue\"]"});
  add_settings(words, more);
  RunningTool tool(words);
  return take_report(tool.finish(), path);
}

// Everything arrived once, in order, over `connections` sockets.
void check_passed(const BenchRun& ran) {
  CHECK(ran.outcome.status == 0);
  REQUIRE(ran.report.is_object());
  CHECK(ran.report.at("connect").at("held") == 400);
  CHECK(ran.report.at("delivery").at("received").get<int>() > 1'000);
  CHECK(ran.report.at("delivery").at("expected") == ran.report.at("delivery").at("received"));
  CHECK(ran.report.at("integrity").at("lost") == 0);
  CHECK(ran.report.at("integrity").at("duplicate") == 0);
  CHECK(ran.report.at("integrity").at("reorder") == 0);
}

}  // namespace

TEST_CASE("bench http2: a hundred subscribers share each connection, by prior knowledge",
          "[bench_http2]") {
  const PrivatePostgres postgres;
  const Served server(postgres, false);
  const BenchRun ran = bench(postgres, server, R"({"http": "2", "streams": 100})");
  check_passed(ran);
  CHECK(ran.report.at("client").at("descriptors") < 50);
}

TEST_CASE("bench http2: over TLS by ALPN, and HTTP/1.1 over TLS for who asks for it",
          "[bench_http2]") {
  const PrivatePostgres postgres;
  const Served server(postgres, true);
  const std::string ca = "\"ca\": \"" + server.certificate() + "\"";
  const BenchRun http2 = bench(postgres, server, R"({"http": "2", "streams": 50, )" + ca + "}");
  check_passed(http2);
  CHECK(http2.report.at("client").at("descriptors") < 50);
  const BenchRun http1 = bench(postgres, server, "{" + ca + "}");
  check_passed(http1);
  CHECK(http1.report.at("client").at("descriptors") >= 400);
}

TEST_CASE("bench http2: a certificate that nobody vouches for is refused: exit 4",
          "[bench_http2]") {
  const PrivatePostgres postgres;
  const Served server(postgres, true);
  const BenchRun refused = bench(postgres, server, R"({"http": "2", "streams": 100})");
  CHECK(refused.outcome.status == 4);
  REQUIRE(refused.report.is_object());
  CHECK(refused.report.at("connect").at("failed").contains("tls"));
  check_passed(bench(postgres, server, R"({"http": "2", "streams": 100, "verify": false})"));
}

TEST_CASE(
    "bench http2: over TLS and HTTP/2, too, a subscriber can be slow, stand still, be far away",
    "[bench_http2]") {
  const PrivatePostgres postgres;
  const Served server(postgres, true);
  for (const char* http : {"1.1", "2"}) {
    CAPTURE(http);
    const BenchRun ran = bench(
        postgres, server,
        R"({"http": ")" + std::string(http) + R"(", "ca": ")" + server.certificate() + R"("})",
        {R"(cohorts=[{"name": "slow", "share": 0.2, "read": {"bytes_per_s": "100B", "rcvbuf": "2KiB"}},
                     {"name": "stall", "share": 0.1, "read": {"stop_after": "200ms", "for": "1m"}},
                     {"name": "far", "share": 0.2, "link": {"rtt": "200ms", "jitter": "50ms"}}])",
         R"(thresholds=[{"expr": "cohort.healthy.delivery.p95 < 5s"},
                        {"expr": "cohort.far.delivery.p50 > 60ms"}])"});
    INFO(ran.outcome.out << ran.outcome.err);
    CHECK(ran.outcome.status == 0);
    CHECK(ran.report.at("integrity").at("lost") == 0);
    const json& cohorts = ran.report.at("cohorts");
    CHECK(cohorts.at("stall").at("delivery").at("undelivered").get<int>() > 0);
    CHECK(cohorts.at("slow").at("judged") == false);
    CHECK(cohorts.at("far").at("delivery").at("undelivered") == 0);
  }
}

TEST_CASE("bench http2: connections that are cut anywhere, over TLS, too, lose nothing",
          "[bench_http2]") {
  const PrivatePostgres postgres;
  const Served server(postgres, true);
  for (const char* http : {R"("http": "1.1")", R"("http": "2", "streams": 5)"}) {
    CAPTURE(http);
    // A hundred, and time for their handshakes on a busy machine.
    const BenchRun ran = bench(
        postgres, server, "{" + std::string(http) + R"(, "ca": ")" + server.certificate() + R"("})",
        {"load.connections=100", "phases.main.hold=5s",
         R"(faults=[{"at": "main+300ms", "on": {"share": 0.5}, "do": "truncate", "mid_event": true},
                    {"at": "main+900ms", "on": {"share": 0.5}, "do": "reset"}])",
         R"(reconnect.policy={"base": "100ms", "max": "200ms"})"});
    INFO(ran.outcome.out << ran.outcome.err);
    CHECK(ran.outcome.status == 0);
    const json& delivery = ran.report.at("delivery");
    CHECK(delivery.at("received").get<int>() > 500);
    CHECK(delivery.at("expected") == delivery.at("received"));
    CHECK(ran.report.at("integrity").at("lost") == 0);
    CHECK(ran.report.at("integrity").at("duplicate") == 0);
    CHECK(ran.report.at("resume").at("resumed").get<int>() > 30);
  }
}

// The jobs surface end to end: the real pg-boss with a real worker in Node, its table of jobs kept
// by triggers, `rtctl serve` and its clients.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "integration/child_process.h"
#include "integration/patience.h"
#include "integration/pgboss.h"
#include "io/socket.h"
#include "server/http_client.h"

namespace rt::test {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

struct Instance {
  explicit Instance(const Boss& boss, const Words& more = {},
                    const std::string& listen = "127.0.0.1:0") {
    Words words = {"rtctl",      "serve", "--listen", listen,
                   "--surfaces", "jobs",  "--pg",     boss.postgres.dsn()};
    words.insert(words.end(), more.begin(), more.end());
    tool = std::make_unique<RunningTool>(words);
    REQUIRE(tool->wait_for("rtctl: serving"));
    const std::string& text = tool->error_text();
    const std::size_t at = text.find("url=http://") + 11;
    address = text.substr(at, text.find(' ', at) - at);
  }
  std::string url() const { return "http://" + address; }
  std::string ask(const std::string& request) const {
    HttpClient client(*io::parse_address(address));
    client.send(request);
    return client.until_closed();
  }
  std::string get(const std::string& path, const std::string& headers = "") const {
    return ask("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers + "\r\n");
  }
  std::string post(const std::string& queue, const std::string& body,
                   const std::string& headers = "") const {
    return ask("POST /jobs/" + queue + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  std::unique_ptr<RunningTool> tool;
  std::string address;
};

// The rows in what `jobs watch --format ndjson` printed.
std::vector<json> rows_of(const std::string& text) {
  std::vector<json> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) rows.push_back(json::parse(line));
  return rows;
}

std::string statuses(const std::vector<json>& rows) {
  std::string text;
  for (const json& row : rows) text += row["status"].get<std::string>() + " ";
  return text;
}

const char* const kPlan = R"({"queues": {"dead": {}, "mail": {"retryLimit": 1, "retryDelay": 0,
    "deadLetter": "dead"}}, "workers": {"mail": 3}})";

std::unique_ptr<RunningTool> watch(const std::string& id, const Words& where) {
  Words words = {"rtctl", "jobs", "watch", id, "--format", "ndjson", "--timeout", "40s"};
  words.insert(words.end(), where.begin(), where.end());
  auto tool = std::make_unique<RunningTool>(words);
  REQUIRE(tool->wait_for("\"status\":\"active\""));
  return tool;
}

TEST_CASE("jobs: a real worker drives the streams: completed, retried, failed, dead letter",
          "[jobs]") {
  const std::string version = GENERATE("v10", "v12");
  INFO(version);
  const std::string folder = installed_pgboss(version);
  if (folder.empty()) return;
  const Boss boss(folder, "pgboss", "first=standard");
  REQUIRE(boss.jobs({"setup"}).status == 0);
  const Instance server(boss);
  const BossWorker worker(folder, boss.postgres, kPlan);
  const std::string go = make_folder("jobs") + "/go";
  const std::string wait = R"("wait":")" + go + "\"";
  const auto send = [&](const std::string& data) {
    const std::string answer = server.post("mail", data);
    INFO(answer);
    REQUIRE(answer.find("HTTP/1.1 200 ") == 0);
    return json::parse(answer.substr(answer.find("\r\n\r\n")))["id"].get<std::string>();
  };
  const std::string good = send("{" + wait + R"(,"result":{"n":1.50}})");
  const std::string again = send("{" + wait + R"(,"fail":1,"result":7})");
  const std::string bad = send("{" + wait + R"(,"fail":9})");
  const auto by_server = watch(good, {"--url", server.url()});
  const auto by_slot = watch(good, {"--pg", boss.postgres.dsn()});
  const auto retried = watch(again, {"--url", server.url()});
  const auto failed = watch(bad, {"--url", server.url()});
  RunningTool tail({"rtctl", "sub", "job", good, "--url", server.url(), "--data-only", "-n", "2"});
  REQUIRE(tail.wait_for("active"));
  std::ofstream(go).put('\n');

  for (const auto* tool : {&by_server, &by_slot}) {
    const Outcome end = (*tool)->finish();
    INFO(end.err);
    CHECK(end.status == 0);
    const auto rows = rows_of(end.out);
    CHECK(statuses({rows.end() - 2, rows.end()}) == "active completed ");
    CHECK(rows.back()["result"] == json::parse(R"({"n":1.5})"));
    CHECK(rows.back()["taskId"] == "mail");
    CHECK(rows.back()["completedAt"].get<std::string>().back() == 'Z');
  }
  CHECK(tail.finish().out.find("\"completed\"") != std::string::npos);
  const Outcome twice = retried->finish();
  CHECK(twice.status == 0);
  CHECK(statuses(rows_of(twice.out)).ends_with("active pending active completed "));
  CHECK(rows_of(twice.out).back()["result"] == json::parse(R"({"value":7})"));
  const Outcome never = failed->finish();
  CHECK(never.status == 1);
  CHECK(statuses(rows_of(never.out)).ends_with("active pending active failed "));
  CHECK(rows_of(never.out).back()["error"] == "attempt 1 failed");

  // An ended job is one frame; so is one that nobody knows.
  const std::string once = server.get("/api/jobs/" + good + "/stream");
  CHECK(once.find("Content-Type: text/event-stream\r\n") != std::string::npos);
  CHECK(once.find("\ndata: {\"id\":\"" + good +
                  "\",\"taskId\":\"mail\",\"status\":\"completed\"") != std::string::npos);
  CHECK(server.get("/jobs/nobody/stream").find("\r\n\r\ndata: {\"error\":\"not_found\"}\n\n") !=
        std::string::npos);
  CHECK(server.get("/jobs/" + good + "/stream", "Last-Event-ID: FFFFFFFFFFFFFFFF-00000000\r\n")
            .find("data:") == std::string::npos);

  // The dead letter is a job of its own; a failed one runs again when it is told to.
  CHECK(boss.postgres.value("select task_id || status from job_runs where task_id = 'dead'") ==
        "deadpending");
  CHECK(boss.postgres.value("select count(*) from job_runs where task_id like '\\_\\_pgboss%'") ==
        "0");
  REQUIRE(boss.jobs({"retry", bad}).status == 0);
  CHECK(boss.jobs({"watch", bad}).status == 1);
  CHECK(json::parse(boss.jobs({"status", bad, "--format", "json"}).out)["retryCount"] == 2);
}

TEST_CASE("jobs: POST refuses what cannot be, and everybody without the token", "[jobs]") {
  const std::string folder = installed_pgboss("v12");
  if (folder.empty()) return;
  const Boss boss(folder, "pgboss", "mail=standard one=short");
  {
    const Instance bare(boss);
    const std::string answer = bare.get("/jobs/x/stream");
    CHECK(answer.find("HTTP/1.1 503 ") == 0);
    CHECK(answer.find("rtctl jobs setup") != std::string::npos);
  }
  REQUIRE(boss.jobs({"setup"}).status == 0);
  const std::string file = make_folder("token") + "/token";
  std::ofstream(file) << "s3cret\n";
  const Instance server(boss, {"--jobs-token-file", file});
  const std::string token = "Authorization: Bearer s3cret\r\n";
  CHECK(server.post("mail", "{}").find("HTTP/1.1 401 ") == 0);
  CHECK(server.post("mail", "{}", "Authorization: Bearer s3cre\r\n").find("HTTP/1.1 401 ") == 0);
  CHECK(server.get("/jobs/x/stream?token=s3cret").find("HTTP/1.1 401 ") == 0);
  CHECK(server.post("nothing", "{}", token).find("HTTP/1.1 404 ") == 0);
  CHECK(server.post("mail", "{", token).find("HTTP/1.1 400 ") == 0);
  CHECK(server.post("one", "1", token).find("HTTP/1.1 200 ") == 0);
  CHECK(server.post("one", "2", token).find("HTTP/1.1 409 ") == 0);
  CHECK(server.get("/jobs/mail", token).find("HTTP/1.1 405 ") == 0);
  CHECK(server.get("/jobs/x/stream", token).find("not_found") != std::string::npos);
}

// Slow: cron has the precision of a minute. One version is enough, because both get the row that
// their own schedule() writes (jobs_verbs_test).
TEST_CASE("jobs: what jobs schedule wrote, pg-boss fires", "[jobs]") {
  const std::string folder = installed_pgboss("v12");
  if (folder.empty()) return;
  const Boss boss(folder, "pgboss", "mail=standard");
  REQUIRE(boss.jobs({"setup"}).status == 0);
  REQUIRE(boss.jobs({"schedule", "mail", "* * * * *", R"({"result":"cron"})"}).status == 0);
  const BossWorker worker(folder, boss.postgres,
                          R"({"queues": {}, "workers": {"mail": 1}, "schedule": true})");
  CHECK(eventually(std::chrono::seconds(75), [&] {
    return boss.postgres.value("select status || result from job_runs where task_id = 'mail'") ==
           "completed{\"value\": \"cron\"}";
  }));
  INFO(worker.log());
}

TEST_CASE("jobs: PostgreSQL and server restarted while a job runs: its end is not missed",
          "[jobs]") {
  const std::string folder = installed_pgboss("v12");
  if (folder.empty()) return;
  const bool history = GENERATE(false, true);
  Boss boss(folder, "pgboss", "mail=standard");
  REQUIRE(boss.jobs({"setup"}).status == 0);
  const std::string id = first_line(boss.jobs({"send", "mail", "{}"}).out);
  const auto set = [&](const std::string& values) {
    boss.postgres.exec("update pgboss.job set " + values + " where id = '" + id + "'");
  };
  Words more;
  if (history) more = {"--history", make_folder("history")};
  auto server = std::make_unique<Instance>(boss, more);
  const std::string address = server->address;
  RunningTool tail({"rtctl", "jobs", "watch", id, "--format", "ndjson", "--url", server->url()});
  REQUIRE(tail.wait_for("pending"));
  boss.postgres.kill_9();
  boss.postgres.start();
  set("state = 'active', started_on = now()");
  REQUIRE(tail.wait_for("active"));
  server->tool->signal(SIGTERM);
  CHECK(server->tool->finish().status == 0);
  set("state = 'completed', completed_on = now(), output = '{\"ok\":true}'");
  server = std::make_unique<Instance>(boss, more, address);
  const Outcome end = tail.finish();
  INFO(end.err);
  CHECK(end.status == 0);
  CHECK(statuses(rows_of(end.out)) == "pending active completed ");
}

}  // namespace
}  // namespace rt::test

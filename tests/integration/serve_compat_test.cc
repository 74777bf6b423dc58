// rtctl serve --compat go on a real PostgreSQL, seen by our own client: it takes the Go service's
// frames too.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "integration/private_postgres.h"
#include "integration/running_tool.h"

using namespace rt::test;

namespace {

std::unique_ptr<RunningTool> serve(const PrivatePostgres& postgres, const std::string& listen) {
  return std::make_unique<RunningTool>(std::vector<std::string>{"rtctl", "serve", "--compat", "go",
                                                                "--surfaces", "runs", "--listen",
                                                                listen, "--pg", postgres.dsn()});
}

std::string address_of(RunningTool& server) {
  const std::string marker = "rtctl: serving http://";
  REQUIRE(server.wait_for("streaming from"));
  const std::string& text = server.error_text();
  const std::size_t at = text.find(marker) + marker.size();
  return text.substr(at, text.find(' ', at) - at);
}

struct Seen {
  std::string id;
  std::string event;
  nlohmann::json run;
};

std::vector<Seen> events_of(const std::string& ndjson) {
  std::vector<Seen> events;
  std::istringstream lines(ndjson);
  for (std::string line; std::getline(lines, line);) {
    const auto record = nlohmann::json::parse(line);
    if (record["type"] != "event") continue;
    events.push_back(
        {record["id"], record["event"], nlohmann::json::parse(record["data"].get<std::string>())});
  }
  return events;
}

}  // namespace

TEST_CASE("serve: with --compat go our client sees the whole run each time, and comes back",
          "[serve_compat]") {
  PrivatePostgres postgres;
  REQUIRE(run({"rtctl", "setup", "--pg", postgres.dsn()}).status == 0);
  postgres.exec(
      "INSERT INTO task_run (id, tags, status, created_at, data) VALUES "
      "('r', '{a,\"b c\"}', 'NEW', '2025-06-01 00:00:00+00', '{\"n\": 1}')");
  auto server = serve(postgres, "127.0.0.1:0");
  const std::string address = address_of(*server);
  RunningTool subscriber({"rtctl", "subscribe", "runs", "--url", "http://" + address, "--format",
                          "ndjson", "--count", "5"});
  REQUIRE(subscriber.wait_for("\"initial\""));
  postgres.exec("UPDATE task_run SET status = 'DONE' WHERE id = 'r'");
  postgres.exec("INSERT INTO task_run (id, status) VALUES ('s', 'NEW')");
  postgres.exec("DELETE FROM task_run WHERE id = 's'");
  REQUIRE(subscriber.wait_for("\\\"deleted\\\""));
  // Back on a server whose numbers begin anew: its decimal id means nothing there.
  server->signal(SIGTERM);
  CHECK(server->finish().status == 0);
  server = serve(postgres, address);
  address_of(*server);
  const Outcome outcome = subscriber.finish();
  CAPTURE(outcome.out, outcome.err);
  CHECK(outcome.status == 0);

  const auto events = events_of(outcome.out);
  REQUIRE(events.size() == 5);
  const auto& first = events[0];
  CHECK(first.event == "initial");
  CHECK(first.id == "1");
  CHECK(first.run["id"] == "r");
  CHECK(first.run["env_id"] == "00000000-0000-0000-0000-000000000000");
  CHECK(first.run["tags"] == nlohmann::json({"a", "b c"}));
  CHECK(first.run["created_at"] == "2025-06-01T00:00:00Z");
  CHECK(first.run["seq"] == 1);
  CHECK(first.run["data"]["data"] == "{\"n\": 1}");
  CHECK(first.run["data"]["tags"] == "{a,\"b c\"}");
  CHECK(events[1].event == "delta");
  CHECK(events[1].id == "2");
  CHECK(events[1].run["status"] == "DONE");
  CHECK(events[1].run["tags"] == first.run["tags"]);
  CHECK(events[2].id == "3");
  CHECK(events[2].run["id"] == "s");
  CHECK(events[3].id == "4");
  CHECK(events[3].run["status"] == "deleted");
  CHECK(events[4].event == "initial");
  CHECK(events[4].run["status"] == "DONE");
  CHECK(events[4].run["seq"] == 1);
}

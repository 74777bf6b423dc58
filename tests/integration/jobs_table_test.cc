// The jobs surface on a table of jobs that a test changes by hand, in a real PostgreSQL.
#include <catch2/catch.hpp>

#include "integration/events_server.h"
#include "integration/job_tables.h"
#include "integration/patience.h"
#include "integration/private_postgres.h"

namespace rt::test {
namespace {

using namespace std::chrono_literals;

const std::string kNotFound = "data: {\"error\":\"not_found\"}\n\n";

std::unique_ptr<HttpClient> follow(const EventsServer& server, const std::string& id) {
  auto client = std::make_unique<HttpClient>(server.address());
  client->get("/jobs/" + id + "/stream");
  return client;
}

TEST_CASE("jobs table: TRUNCATE ends every stream with not_found, and rows may come anew",
          "[jobs_table]") {
  const PrivatePostgres postgres;
  make_job_tables(postgres);
  postgres.exec("insert into job_runs (id, task_id, status) values ('old', 'mail', 'pending')");
  const EventsServer server({"--pg", postgres.dsn()}, "127.0.0.1:0", "jobs");
  const auto unfinished = [&] {
    return server.health()["surfaces"]["jobs"]["unfinished_jobs"].get<int>();
  };
  REQUIRE(eventually(20s, [&] { return unfinished() == 1; }));
  postgres.exec("insert into job_runs (id, task_id, status) values ('new', 'mail', 'active')");
  REQUIRE(eventually(20s, [&] { return unfinished() == 2; }));
  const auto of_old = follow(server, "old");
  const auto of_new = follow(server, "new");
  CHECK(of_old->until("\"pending\"").find("\"id\":\"old\"") != std::string::npos);
  CHECK(of_new->until("\"active\"").find("\"id\":\"new\"") != std::string::npos);
  postgres.exec("truncate job_runs");
  for (const auto* stream : {&of_old, &of_new}) {
    CHECK((*stream)->until_closed().ends_with("}\n\n" + kNotFound));
  }
  CHECK(unfinished() == 0);
  CHECK(body_of(follow(server, "old")->until_closed()) == kNotFound);
  // In one transaction too: what was inserted before it is gone, what comes after it stays.
  postgres.exec(
      "begin; insert into job_runs (id, task_id) values ('lost', 'mail'); truncate job_runs;"
      "insert into job_runs (id, task_id) values ('old', 'mail'); commit");
  REQUIRE(eventually(20s, [&] { return unfinished() == 1; }));
  CHECK(body_of(follow(server, "lost")->until_closed()) == kNotFound);
  const auto again = follow(server, "old");
  CHECK(again->until("\"pending\"").find("\"id\":\"old\"") != std::string::npos);
  postgres.exec("update job_runs set status = 'completed', result = '{\"sent\":1}'");
  CHECK(again->until_closed().find("\"result\":{\"sent\":1}") != std::string::npos);
}

}  // namespace
}  // namespace rt::test

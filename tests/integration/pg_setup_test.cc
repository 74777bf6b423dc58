// Preparing a database, and statements in flight, on a real server.
#include <poll.h>

#include <catch2/catch.hpp>

#include "integration/private_postgres.h"
#include "pg/pipeline.h"
#include "pg/setup.h"

using rt::test::PrivatePostgres;

TEST_CASE("setup: the second time everything is there already", "[integration][pg_setup]") {
  PrivatePostgres server;
  rt::Connection connection = server.connect();
  rt::SetupOptions options;
  options.publication = "Odd \"publication\"";
  std::vector<rt::SetupStep> steps;
  const auto remember = [&](const rt::SetupStep& step) { steps.push_back(step); };
  REQUIRE(rt::set_up(connection, options, remember));
  REQUIRE(steps.size() == 3);
  for (const auto& step : steps) CHECK(step.changed);
  CHECK(server.value("SELECT relreplident FROM pg_class WHERE oid = 'task_run'::regclass") == "f");
  CHECK(server.value("SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate "
                     "FROM pg_publication") == "t");
  steps.clear();
  REQUIRE(rt::set_up(connection, options, remember));
  REQUIRE(steps.size() == 3);
  for (const auto& step : steps) CHECK_FALSE(step.changed);
}

TEST_CASE("setup: an existing publication is completed, a view is refused",
          "[integration][pg_setup]") {
  PrivatePostgres server;
  server.exec("CREATE TABLE other (id int); CREATE VIEW task_run AS SELECT 1 AS id");
  server.exec("CREATE PUBLICATION rt_publication FOR TABLE other WITH (publish = 'insert')");
  rt::Connection connection = server.connect();
  const auto refused = rt::set_up(connection, {}, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text == "public.task_run is not a table");
  server.exec("DROP VIEW task_run");
  REQUIRE(rt::set_up(connection, {}, {}));
  CHECK(server.value("SELECT count(*) FROM pg_publication_tables") == "2");
  CHECK(server.value("SELECT pubtruncate FROM pg_publication") == "t");
}

TEST_CASE("setup: no free replication slot is an error that says how many there are",
          "[integration][pg_setup]") {
  PrivatePostgres server(PrivatePostgres::Settings{{"max_replication_slots", "1"}});
  rt::Connection connection = server.connect();
  CHECK(rt::check_free_slot(connection));
  server.exec("SELECT pg_create_logical_replication_slot('s', 'pgoutput')");
  const auto checked = rt::check_free_slot(connection);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().text.find("max_replication_slots is 1") != std::string::npos);
}

TEST_CASE("pipeline: answers come in order, an error aborts its group only",
          "[integration][pg_setup]") {
  PrivatePostgres server;
  auto pipeline = rt::Pipeline::start(server.connect());
  REQUIRE(pipeline);
  REQUIRE(pipeline->prepare("p", "SELECT $1::int + 1"));
  REQUIRE(pipeline->send_prepared("p", {"41"}));
  REQUIRE(pipeline->sync());
  REQUIRE(pipeline->send_query_params("SELECT $1::int", {"no number"}));
  REQUIRE(pipeline->send_query_params("SELECT 1", {}));
  REQUIRE(pipeline->sync());
  REQUIRE(pipeline->send_query_params("SELECT $1::text IS NULL", {std::nullopt}));
  REQUIRE(pipeline->sync());
  using Kind = rt::PipelineResult::Kind;
  std::vector<Kind> kinds;
  std::vector<std::string> values;
  while (kinds.size() < 8) {
    REQUIRE(pipeline->flush());
    const auto result = pipeline->next();
    REQUIRE(result);
    if (!*result) {
      pollfd fd{pipeline->socket(), POLLIN, 0};
      REQUIRE(::poll(&fd, 1, 10'000) == 1);
      REQUIRE(pipeline->consume_input());
      continue;
    }
    kinds.push_back((*result)->kind);
    if ((*result)->rows.get() != nullptr && (*result)->rows.size() == 1) {
      values.emplace_back((*result)->rows.text(0, 0));
    }
  }
  CHECK(kinds == std::vector<Kind>{Kind::statement, Kind::statement, Kind::sync, Kind::failed,
                                   Kind::aborted, Kind::sync, Kind::statement, Kind::sync});
  CHECK(values == std::vector<std::string>{"42", "t"});
  CHECK_FALSE(*pipeline->next());
}

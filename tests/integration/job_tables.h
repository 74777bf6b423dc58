// What the jobs surface looks for in a database, without a pg-boss: its version, and the table of
// jobs, which a test writes itself.
#pragma once

#include <catch2/catch.hpp>

#include "integration/private_postgres.h"
#include "pg/job_runs_table.h"

namespace rt::test {

inline void make_job_tables(const PrivatePostgres& postgres) {
  postgres.exec(
      "create schema pgboss; create table pgboss.version (version int);"
      "insert into pgboss.version values (24)");
  Connection connection = postgres.connect();
  REQUIRE(create_job_runs(connection, *parse_table_name("job_runs")));
}

}  // namespace rt::test

// Where the WAL source goes on after a lost connection, to the byte.
#include <catch2/catch.hpp>

#include "integration/patience.h"
#include "integration/private_postgres.h"
#include "integration/wal_reading.h"

using namespace std::chrono_literals;
using rt::WalSourceOptions;
using rt::test::Consumed;
using rt::test::PrivatePostgres;
using rt::test::WalReading;

// The LSN of such a message is the end of its record, which is where the commit's record begins.
TEST_CASE(
    "wal resume: a message outside transactions just before a commit does not cost the commit",
    "[integration][wal_resume]") {
  PrivatePostgres server;
  server.exec("CREATE TABLE t (id int PRIMARY KEY)");
  WalSourceOptions options;
  options.dsn = server.dsn();
  options.slot = "s";
  options.publication = "p";
  options.tables = {{"public", "t"}};
  WalReading reading(options);
  REQUIRE(reading.wait_streaming());
  for (int attempt = 1; attempt <= 3; ++attempt) {
    const auto before = reading.source().reconnects();
    rt::Connection writer = server.connect();
    REQUIRE(writer.exec("BEGIN; INSERT INTO t VALUES (" + std::to_string(attempt) +
                            "); SELECT pg_logical_emit_message(false, 'p', 'm')",
                        "test statement"));
    REQUIRE(reading.wait_for([&](const Consumed& c) { return c.messages == attempt; }));
    server.exec("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots");
    REQUIRE(rt::test::eventually(10s, [&] { return reading.source().reconnects() > before; }));
    REQUIRE(writer.exec("COMMIT", "test statement"));
    CHECK(reading.wait_for([&](const Consumed& c) { return std::ssize(c.inserted) == attempt; },
                           10s));
  }
  CHECK(reading.consumed().messages == 3);
}

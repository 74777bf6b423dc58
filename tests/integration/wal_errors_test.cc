// What the WAL source says when it cannot work: one clear line, and the Code behind the exit
// status.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "integration/private_postgres.h"
#include "integration/wal_reading.h"
#include "pg/setup.h"

using namespace std::chrono_literals;
using rt::Code;
using rt::SnapshotMode;
using rt::WalSourceOptions;
using rt::test::Consumed;
using rt::test::PrivatePostgres;
using rt::test::WalReading;

namespace {

WalSourceOptions options_for(const PrivatePostgres& server, const std::string& more = "") {
  WalSourceOptions options;
  options.dsn = server.dsn(more);
  options.slot = "s";
  options.publication = "p";
  options.tables = {{"public", "t"}};
  return options;
}

rt::Error error_of(const WalSourceOptions& options) {
  WalReading reading(options);
  REQUIRE(reading.wait_ended());
  auto result = reading.stop();
  REQUIRE_FALSE(result);
  return result.error();
}

}  // namespace

TEST_CASE("wal errors: wal_level that is not logical is refused with the way to change it",
          "[integration][wal_errors]") {
  PrivatePostgres server(PrivatePostgres::Settings{{"wal_level", "replica"}});
  server.exec("CREATE TABLE t (id int PRIMARY KEY)");
  const rt::Error error = error_of(options_for(server));
  CHECK(error.code == Code::refused);
  CHECK(error.text ==
        fmt::format("cannot stream changes from 127.0.0.1:{}/postgres: wal_level is replica, not "
                    "logical",
                    server.port()));
  CHECK(error.hint == "run ALTER SYSTEM SET wal_level = logical; then restart PostgreSQL");
}

TEST_CASE("wal errors: privilege, password, database and server are told apart",
          "[integration][wal_errors]") {
  PrivatePostgres server;
  server.add_hba("host all locked 127.0.0.1/32 scram-sha-256");
  REQUIRE(server.stop_fast());
  server.start();
  server.exec(
      "CREATE TABLE t (id int PRIMARY KEY); CREATE ROLE plain LOGIN; "
      "CREATE ROLE locked LOGIN REPLICATION PASSWORD 'right'");
  SECTION("a role without REPLICATION") {
    const rt::Error error = error_of(options_for(server, "user=plain"));
    CHECK(error.code == Code::refused);
    CHECK(error.text.find("(42501)") != std::string::npos);
    CHECK(error.hint.find("ALTER ROLE") != std::string::npos);
    rt::Connection connection = server.connect("user=plain");
    const auto checked = rt::check_replication_privilege(connection);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().hint == "run as a superuser: ALTER ROLE \"plain\" REPLICATION");
  }
  SECTION("a wrong password, which is not repeated") {
    const rt::Error error = error_of(options_for(server, "user=locked password=hunter2"));
    CHECK(error.code == Code::refused);
    CHECK(error.text.find("(28P01)") != std::string::npos);
    CHECK((error.text + error.hint).find("hunter2") == std::string::npos);
  }
  SECTION("a database that does not exist") {
    const rt::Error error = error_of(options_for(server, "dbname=nowhere"));
    CHECK(error.code == Code::refused);
    CHECK(error.text ==
          fmt::format("cannot connect to PostgreSQL on 127.0.0.1:{}/nowhere: database "
                      "\"nowhere\" does not exist (3D000)",
                      server.port()));
  }
  SECTION("a server that is down") {
    REQUIRE(server.stop_fast());
    CHECK(error_of(options_for(server)).code == Code::unreachable);
    server.start();
  }
  SECTION("a table that does not exist") {
    WalSourceOptions options = options_for(server);
    options.tables = {{"public", "nothing"}};
    CHECK(error_of(options).text.find("\"public.nothing\" does not exist (42P01)") !=
          std::string::npos);
  }
}

TEST_CASE("wal errors: a slot in use names the process", "[integration][wal_errors]") {
  PrivatePostgres server;
  server.exec("CREATE TABLE t (id int PRIMARY KEY)");
  WalReading owner(options_for(server));
  REQUIRE(owner.wait_streaming());
  WalSourceOptions options = options_for(server);
  SECTION("at once when told not to wait") {
    options.slot_wait = 0s;
    const rt::Error error = error_of(options);
    CHECK(error.code == Code::refused);
    CHECK(error.text == "slot \"s\" is in use by process " +
                            server.value("SELECT active_pid FROM pg_replication_slots"));
  }
  SECTION("and is taken over when its owner leaves in time") {
    options.snapshot = SnapshotMode::never;
    WalReading heir(options);
    REQUIRE(heir.wait_for([](const Consumed& c) {
      return !c.notices.empty() && c.notices.back().find("waiting for it") != std::string::npos;
    }));
    REQUIRE(owner.stop());
    CHECK(heir.wait_streaming());
  }
}

TEST_CASE("wal errors: a slot that is lost, or gone, is not started anew in silence",
          "[integration][wal_errors]") {
  PrivatePostgres server(
      {{"max_slot_wal_keep_size", "1MB"}, {"min_wal_size", "32MB"}, {"max_wal_size", "32MB"}});
  server.exec("CREATE TABLE t (id int PRIMARY KEY)");
  server.exec("CREATE PUBLICATION p FOR TABLE t");
  server.exec("SELECT pg_create_logical_replication_slot('s', 'pgoutput')");
  WalSourceOptions options = options_for(server);
  options.snapshot = SnapshotMode::never;
  SECTION("lost") {
    for (int i = 0; i < 4; ++i) {
      server.exec("SELECT pg_logical_emit_message(false, 'p', repeat('x', 20000000))");
      server.exec("SELECT pg_switch_wal()");
      server.exec("CHECKPOINT");
    }
    const rt::Error error = error_of(options);
    CHECK(error.code == Code::integrity);
    CHECK(error.text.rfind("slot \"s\" is lost", 0) == 0);
  }
  SECTION("gone, though we hold changes from it") {
    server.exec("SELECT pg_drop_replication_slot('s')");
    options.start_lsn = 0x100;
    const rt::Error error = error_of(options);
    CHECK(error.code == Code::integrity);
    CHECK(error.text ==
          "slot \"s\" no longer exists on the server: changes after 0/100 are missing for good");
  }
  SECTION("another cluster") {
    options.expected.system_id = 1;
    CHECK(error_of(options).text.rfind("cannot resume: this is another database cluster", 0) == 0);
  }
  SECTION("a position from the future") {
    options.start_lsn = 0xF00000000;
    CHECK(error_of(options).code == Code::refused);
  }
}

#include "pg/server_error.h"

#include <catch2/catch.hpp>

#include "pg/connection.h"
#include "pg/slot.h"

using rt::Code;

TEST_CASE("server error: the SQLSTATE is found in verbose text, whatever the language", "[pg]") {
  const auto message = rt::split_verbose_message(
      "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: password "
      "authentication failed for user \"app\"\nLOCATION:  auth_failed, auth.c:326\n");
  CHECK(message.sqlstate == "28P01");
  CHECK(message.reason == "password authentication failed for user \"app\"");
  const auto french = rt::split_verbose_message(
      "la connexion a échoué : FATAL:  3D000: la base « x » n'existe pas\n"
      "LOCATION : InitPostgres\n");
  CHECK(french.sqlstate == "3D000");
}

TEST_CASE("server error: libpq's own text loses addresses and advice", "[pg]") {
  const auto message = rt::split_verbose_message(
      "connection to server at \"localhost\" (::1), port 1 failed: Connection refused\n"
      "\tIs the server running on that host and accepting TCP/IP connections?\n"
      "connection to server at \"localhost\" (127.0.0.1), port 1 failed: Connection refused\n"
      "\tIs the server running on that host and accepting TCP/IP connections?\n");
  CHECK(message.sqlstate.empty());
  CHECK(message.reason == "Connection refused");
}

TEST_CASE("server error: what may pass is unreachable, what a person must mend is refused",
          "[pg]") {
  for (const char* state : {"", "08006", "53300", "57P01", "57P03", "55006", "40001"}) {
    CAPTURE(state);
    CHECK(rt::code_for_sqlstate(state) == Code::unreachable);
  }
  for (const char* state :
       {"28P01", "28000", "3D000", "42501", "42704", "55000", "58P01", "57014"}) {
    CAPTURE(state);
    CHECK(rt::code_for_sqlstate(state) == Code::refused);
  }
}

TEST_CASE("connection: a malformed string is a usage error that repeats none of it", "[pg]") {
  const auto connection = rt::Connection::connect("host=x password=top secret", {});
  REQUIRE_FALSE(connection);
  CHECK(connection.error().code == Code::usage);
  CHECK(connection.error().text.find("secret") == std::string::npos);
  CHECK(connection.error().text.find("top") == std::string::npos);
}

TEST_CASE("connection: nobody listening is unreachable, in one line without the password", "[pg]") {
  const auto connection =
      rt::Connection::connect("postgresql://app:hunter2@127.0.0.1:1/orders", {});
  REQUIRE_FALSE(connection);
  CHECK(connection.error().code == Code::unreachable);
  CHECK(connection.error().text ==
        "cannot connect to PostgreSQL on 127.0.0.1:1/orders: Connection refused");
}

TEST_CASE("server identity: another cluster, an older timeline or a shorter WAL is refused",
          "[pg]") {
  rt::ServerIdentity found;
  found.system_id = 7;
  found.timeline = 2;
  found.wal_end = 1000;
  CHECK(rt::check_same_server(found, {}));
  CHECK(rt::check_same_server(found, {7, 2, 1000}));
  CHECK(rt::check_same_server(found, {7, 1, 0}));
  for (const rt::ExpectedServer& expected :
       {rt::ExpectedServer{8, 0, 0}, rt::ExpectedServer{7, 3, 0}, rt::ExpectedServer{7, 2, 1001},
        rt::ExpectedServer{7, 1, 0, /*same_timeline=*/true}}) {
    const auto checked = rt::check_same_server(found, expected);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == Code::refused);
  }
}

TEST_CASE("slot: one of another plugin, another database or without WAL is told apart", "[pg]") {
  rt::SlotState slot;
  slot.plugin = "pgoutput";
  slot.database = "app";
  CHECK(rt::check_slot(slot, "s", "app"));
  CHECK(rt::check_slot(slot, "s", "other").error().text ==
        "slot \"s\" belongs to database app, not other");
  slot.lost = true;
  CHECK(rt::check_slot(slot, "s", "app").error().code == Code::integrity);
  slot.plugin = "wal2json";
  CHECK(rt::check_slot(slot, "s", "app").error().code == Code::refused);
  CHECK(rt::slot_in_use("orders", 4711).text == "slot \"orders\" is in use by process 4711");
}

// The WAL source against a real server: nothing missed, nothing doubled.
#include "pipe/wal_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "base/text.h"
#include "integration/patience.h"
#include "integration/private_postgres.h"
#include "integration/wal_reading.h"

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

void make_table(const PrivatePostgres& server) {
  server.exec(
      "CREATE TABLE t (id bigserial PRIMARY KEY, a text, b int); "
      "ALTER TABLE t REPLICA IDENTITY FULL");
}

std::string first_field(const std::string& row, char separator) {
  return row.substr(0, row.find(separator));
}

// Ids of snapshot and inserts together, each as often as it was seen.
std::vector<std::string> ids_seen(const Consumed& consumed) {
  std::vector<std::string> ids;
  for (const auto& row : consumed.snapshot_rows) ids.push_back(first_field(row, '\t'));
  for (const auto& row : consumed.inserted) ids.push_back(first_field(row, '|'));
  std::sort(ids.begin(), ids.end());
  return ids;
}

// "" when both are the same multiset, else the first that are missing or too many.
std::string difference(const std::vector<std::string>& seen, const std::vector<std::string>& due) {
  std::string text;
  std::vector<std::string> only;
  std::set_difference(due.begin(), due.end(), seen.begin(), seen.end(), std::back_inserter(only));
  for (std::size_t i = 0; i < only.size() && i < 5; ++i) text += " missing " + only[i];
  only.clear();
  std::set_difference(seen.begin(), seen.end(), due.begin(), due.end(), std::back_inserter(only));
  for (std::size_t i = 0; i < only.size() && i < 5; ++i) text += " doubled " + only[i];
  return text;
}

std::vector<std::string> ids_in(const PrivatePostgres& server) {
  rt::Connection connection = server.connect();
  const auto rows = connection.query("SELECT id FROM t", "test query");
  std::vector<std::string> ids;
  for (int row = 0; row < rows->size(); ++row) ids.emplace_back(rows->text(row, 0));
  std::sort(ids.begin(), ids.end());
  return ids;
}

// Writers that insert until stopped, and go on after a server restart.
class Writers {
 public:
  Writers(const PrivatePostgres& server, int count) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this, dsn = server.dsn(), i](std::stop_token stop) {
        while (!stop.stop_requested()) write(dsn, i, stop);
      });
    }
  }
  void wait_for(int commits) {
    const int goal = commits_ + commits;
    while (commits_ < goal) std::this_thread::yield();
  }
  void stop() { threads_.clear(); }

 private:
  void write(const std::string& dsn, int writer, const std::stop_token& stop) {
    auto connection = rt::Connection::connect(dsn, {});
    if (!connection) {
      rt::test::linger(20ms);
      return;
    }
    // Several rows a transaction, and two transactions open at once in different order.
    const std::string sql = fmt::format(
        "BEGIN; INSERT INTO t (a, b) SELECT 'w', {} FROM generate_series(1, 3); "
        "SELECT pg_sleep(random() * 0.002); INSERT INTO t (a, b) VALUES ('x', {}); COMMIT",
        writer, writer);
    while (!stop.stop_requested()) {
      if (!connection->exec(sql, "write")) return;
      ++commits_;
    }
  }

  std::atomic<int> commits_ = 0;
  std::vector<std::jthread> threads_;
};

bool saw_marker(const Consumed& consumed, const std::string& marker) {
  return std::any_of(consumed.inserted.rbegin(), consumed.inserted.rend(),
                     [&](const std::string& row) { return row.find(marker) != row.npos; });
}

// Everything committed so far has arrived.
bool drained(const PrivatePostgres& server, WalReading& reading,
             const std::string& marker = "end") {
  server.exec(fmt::format("INSERT INTO t (a) VALUES ('{}')", marker));
  return reading.wait_for([&](const Consumed& c) { return saw_marker(c, "|" + marker + "|"); });
}

}  // namespace

TEST_CASE("wal source: a snapshot, then changes; none missed, none doubled under four writers",
          "[integration][wal_source]") {
  PrivatePostgres server;
  make_table(server);
  Writers writers(server, 4);
  writers.wait_for(50);
  const bool existing_slot = GENERATE(false, true);
  if (existing_slot) {
    // Its snapshot comes from a temporary slot, then.
    server.exec("CREATE PUBLICATION p FOR TABLE t");
    server.exec("SELECT pg_create_logical_replication_slot('s', 'pgoutput')");
  }
  writers.wait_for(50);
  WalReading reading(options_for(server));
  REQUIRE(reading.wait_streaming());
  writers.wait_for(200);
  writers.stop();
  REQUIRE(drained(server, reading));
  CHECK(reading.stop());
  const Consumed consumed = reading.consumed();
  CHECK(consumed.snapshots == 1);
  CHECK(consumed.snapshot_rows.size() >= 400);
  CHECK(consumed.inserted.size() >= 800);
  CHECK(consumed.doubled == 0);
  CHECK(difference(ids_seen(consumed), ids_in(server)) == "");
  // The lender is gone.
  CHECK(server.value("SELECT count(*) FROM pg_replication_slots") == "1");
}

TEST_CASE("wal source: a server that crashes in mid-stream costs nothing and repeats nothing",
          "[integration][wal_source]") {
  PrivatePostgres server;
  make_table(server);
  WalReading reading(options_for(server));
  REQUIRE(reading.wait_streaming());
  Writers writers(server, 4);
  const bool kill = GENERATE(false, true);
  for (unsigned crash = 0; crash < 2; ++crash) {
    writers.wait_for(100);
    if (kill) {
      server.kill_9();
    } else {
      REQUIRE(server.stop_immediate());
    }
    server.start();
    // Else the next crash may come before the source is back.
    REQUIRE(rt::test::eventually(20s, [&] {
      return reading.source().reconnects() > crash && reading.source().connected();
    }));
  }
  writers.wait_for(100);
  writers.stop();
  REQUIRE(drained(server, reading));
  const Consumed consumed = reading.consumed();
  CHECK(reading.source().reconnects() >= 2);
  CHECK(consumed.doubled == 0);
  CHECK(difference(ids_seen(consumed), ids_in(server)) == "");
}

TEST_CASE("wal source: a consumer that was killed gets what it had not confirmed again, no more",
          "[integration][wal_source]") {
  PrivatePostgres server;
  make_table(server);
  Writers writers(server, 4);
  Consumed first;
  {
    WalReading::Habits forgetful;
    forgetful.confirm = false;
    WalReading reading(options_for(server), forgetful);
    REQUIRE(reading.wait_streaming());
    writers.wait_for(100);
    REQUIRE(drained(server, reading, "one"));
    REQUIRE(reading.stop());
    first = reading.consumed();
  }
  WalSourceOptions options = options_for(server);
  options.snapshot = SnapshotMode::never;
  WalReading::Habits habits;
  SECTION("resuming from its own end LSN") {
    options.start_lsn = first.end_lsn;
    habits.durable_lsn = first.end_lsn;
    WalReading reading(options, habits);
    writers.wait_for(100);
    writers.stop();
    REQUIRE(drained(server, reading));
    const Consumed second = reading.consumed();
    CHECK(second.dropped == 0);
    CHECK(second.snapshots == 0);
    auto seen = ids_seen(first);
    const auto more = ids_seen(second);
    seen.insert(seen.end(), more.begin(), more.end());
    std::sort(seen.begin(), seen.end());
    CHECK(difference(seen, ids_in(server)) == "");
  }
  SECTION("from the slot's position it all comes again and is recognised") {
    habits.durable_lsn = first.end_lsn;
    WalReading reading(options, habits);
    writers.wait_for(100);
    writers.stop();
    REQUIRE(drained(server, reading));
    const Consumed second = reading.consumed();
    CHECK(second.dropped == static_cast<int>(first.inserted.size()));
    auto seen = ids_seen(first);
    const auto more = ids_seen(second);
    seen.insert(seen.end(), more.begin(), more.end());
    std::sort(seen.begin(), seen.end());
    CHECK(difference(seen, ids_in(server)) == "");
  }
}

TEST_CASE("wal source: fast shutdown of the server does not wait for an idle consumer",
          "[integration][wal_source]") {
  PrivatePostgres server;
  make_table(server);
  server.exec("CREATE TABLE unpublished (a text)");
  WalReading reading(options_for(server));
  REQUIRE(reading.wait_streaming());
  REQUIRE(drained(server, reading));
  server.exec("INSERT INTO unpublished SELECT repeat('x', 1000) FROM generate_series(1, 1000)");
  CHECK(server.stop_fast(5s));
}

TEST_CASE("wal source: traffic that is not published does not pin WAL",
          "[integration][wal_source]") {
  PrivatePostgres server;
  make_table(server);
  server.exec("CREATE TABLE unpublished (a text)");
  WalReading reading(options_for(server));
  REQUIRE(reading.wait_streaming());
  REQUIRE(drained(server, reading));
  server.exec("INSERT INTO unpublished SELECT repeat('x', 1000) FROM generate_series(1, 5000)");
  const std::string target = server.value("SELECT pg_current_wal_lsn()");
  const std::string sql =
      fmt::format("SELECT confirmed_flush_lsn >= '{}'::pg_lsn FROM pg_replication_slots", target);
  CHECK(rt::test::eventually(20s, [&] { return server.value(sql) == "t"; }));
}

TEST_CASE("wal source: a consumer slower than wal_sender_timeout keeps its connection",
          "[integration][wal_source]") {
  PrivatePostgres server(PrivatePostgres::Settings{{"wal_sender_timeout", "1s"}});
  make_table(server);
  std::atomic<bool> slow = false;
  WalReading::Habits habits;
  habits.before_take = [&] {
    if (slow.exchange(false)) rt::test::linger(3s);
  };
  WalReading reading(options_for(server), habits);
  REQUIRE(reading.wait_streaming());
  slow = true;
  // More than the queue holds: the reader has to stop reading.
  server.exec("INSERT INTO t (a) SELECT repeat('x', 10000) FROM generate_series(1, 4000)");
  REQUIRE(drained(server, reading));
  CHECK(reading.source().reconnects() == 0);
  CHECK(difference(ids_seen(reading.consumed()), ids_in(server)) == "");
}

TEST_CASE("wal source: hostile defaults of role and database do not change values",
          "[integration][wal_source]") {
  PrivatePostgres server;
  server.exec(
      "CREATE TABLE t (id int PRIMARY KEY, f float8, ts timestamptz, i interval, b bytea, m "
      "money)");
  server.exec(
      "ALTER ROLE postgres SET datestyle = 'German, DMY'; ALTER ROLE postgres SET intervalstyle = "
      "'iso_8601'; ALTER ROLE postgres SET extra_float_digits = -15; ALTER ROLE postgres SET "
      "bytea_output = 'escape'; ALTER ROLE postgres SET timezone = 'Europe/Berlin'; ALTER DATABASE "
      "postgres SET client_encoding = 'LATIN1'; ALTER ROLE postgres SET statement_timeout = '1s'; "
      "ALTER ROLE postgres SET standard_conforming_strings = off");
  const std::string row =
      "0.1::float8 + 0.2::float8, '2026-03-29 00:30:00+00', '1 mon 2 days 03:04:05', "
      "decode('00ff', 'hex'), '1.5'";
  server.exec("INSERT INTO t SELECT 1, " + row);
  WalReading reading(options_for(server));
  REQUIRE(reading.wait_streaming());
  server.exec("INSERT INTO t SELECT 2, " + row);
  REQUIRE(reading.wait_for([](const Consumed& c) { return !c.inserted.empty(); }));
  const Consumed consumed = reading.consumed();
  CHECK(consumed.inserted[0] ==
        "2|0.30000000000000004|2026-03-29 00:30:00+00|1 mon 2 days 03:04:05|\\x00ff|$1.50");
  REQUIRE(consumed.snapshot_rows.size() == 1);
  CHECK(consumed.snapshot_rows[0] ==
        "1\t0.30000000000000004\t2026-03-29 00:30:00+00\t1 mon 2 days 03:04:05\t\\\\x00ff\t$1.50");
}

TEST_CASE("wal source: with FULL an unchanged large value is in the old row",
          "[integration][wal_source]") {
  PrivatePostgres server;
  make_table(server);
  server.exec(
      "ALTER TABLE t ALTER a SET STORAGE EXTERNAL; "
      "INSERT INTO t (a, b) VALUES (repeat('z', 9000), 1)");
  WalReading reading(options_for(server));
  REQUIRE(reading.wait_streaming());
  server.exec("UPDATE t SET b = 2");
  REQUIRE(reading.wait_for([](const Consumed& c) { return !c.updated.empty(); }));
  const Consumed consumed = reading.consumed();
  CHECK(consumed.updated[0] == "1|\\U|2");
  CHECK(consumed.old_rows[0] == "1|" + std::string(9000, 'z') + "|1");
}

TEST_CASE(
    "wal source: TRUNCATE, DELETE, messages and a table altered in mid-stream arrive in order",
    "[integration][wal_source]") {
  PrivatePostgres server;
  make_table(server);
  WalReading reading(options_for(server));
  REQUIRE(reading.wait_streaming());
  server.exec("INSERT INTO t (a, b) VALUES ('before', 1)");
  server.exec("ALTER TABLE t ADD c text DEFAULT 'new'; ALTER TABLE t RENAME b TO bb");
  server.exec("INSERT INTO t (a, bb) VALUES ('after', 2)");
  server.exec("DELETE FROM t WHERE a = 'before'");
  server.exec("TRUNCATE t");
  server.exec("SELECT pg_logical_emit_message(false, 'p', 'outside')");
  server.exec("SELECT pg_logical_emit_message(true, 'p', 'inside')");
  REQUIRE(reading.wait_for([](const Consumed& c) { return c.messages == 2; }));
  const Consumed consumed = reading.consumed();
  CHECK(consumed.inserted == std::vector<std::string>{"1|before|1", "2|after|2|new"});
  CHECK(consumed.deleted == std::vector<std::string>{"1|before|1|new"});
  CHECK(consumed.truncates == 1);
  // Told again after TRUNCATE: one may repeat, none may be missing.
  REQUIRE(consumed.relation_columns.size() >= 2);
  CHECK(consumed.relation_columns[0] == "id,a,b");
  CHECK(consumed.relation_columns[1] == "id,a,bb,c");
  // The message outside transactions was confirmed by its own LSN: nothing is left to wait for.
  CHECK(server.stop_fast(10s));
}

TEST_CASE("wal source: the real primary key is told, though FULL hides it",
          "[integration][wal_source]") {
  PrivatePostgres server;
  server.exec(
      "CREATE SCHEMA \"Odd \"\"One\"; CREATE TABLE \"Odd \"\"One\".\"T\" (x int, \"K y\" text, gen "
      "int "
      "GENERATED ALWAYS AS (x + 1) STORED, z text, PRIMARY KEY (\"K y\", x)); "
      "ALTER TABLE \"Odd \"\"One\".\"T\" REPLICA IDENTITY FULL; "
      "INSERT INTO \"Odd \"\"One\".\"T\" VALUES (1, E'a\\tb\\\\', DEFAULT, NULL)");
  WalSourceOptions options = options_for(server);
  options.tables = {{"Odd \"One", "T"}};
  WalReading reading(options);
  REQUIRE(reading.wait_streaming());
  server.exec("INSERT INTO \"Odd \"\"One\".\"T\" VALUES (2, 'k', DEFAULT, NULL)");
  REQUIRE(reading.wait_for([](const Consumed& c) { return !c.inserted.empty(); }));
  const Consumed consumed = reading.consumed();
  CHECK(consumed.key_columns == std::vector<std::string>{"x,K y"});
  CHECK(consumed.relation_columns == std::vector<std::string>{"x,K y,z"});
  CHECK(consumed.snapshot_rows == std::vector<std::string>{"1\ta\\tb\\\\\t\\N"});
  CHECK(consumed.inserted == std::vector<std::string>{"2|k|\\N"});
  CHECK(consumed.snapshot_json.find("\"primary_key\":[\"x\",\"K y\"]") != std::string::npos);
  CHECK(consumed.snapshot_json.find(rt::lsn_text(consumed.consistent_point)) != std::string::npos);
}

TEST_CASE("wal source: a snapshot has the publication's row filter and column list",
          "[integration][wal_source]") {
  PrivatePostgres server;
  make_table(server);
  server.exec(
      "ALTER TABLE t REPLICA IDENTITY DEFAULT; "
      "CREATE PUBLICATION p FOR TABLE t (id, a) WHERE (id > 1)");
  server.exec("INSERT INTO t (a, b) VALUES ('one', 1), ('two', 2)");
  WalReading reading(options_for(server));
  REQUIRE(reading.wait_for([](const Consumed& c) { return c.consistent_point != 0; }));
  CHECK(reading.consumed().snapshot_rows == std::vector<std::string>{"2\ttwo"});
}

TEST_CASE("wal source: a temporary slot leaves nothing behind, and a reconnect is a gap",
          "[integration][wal_source]") {
  PrivatePostgres server;
  make_table(server);
  WalSourceOptions options = options_for(server);
  options.temporary = true;
  WalReading reading(options);
  REQUIRE(reading.wait_streaming());
  REQUIRE(drained(server, reading, "one"));
  server.exec("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots");
  REQUIRE(reading.wait_for([](const Consumed& c) { return c.snapshots == 2; }));
  REQUIRE(drained(server, reading, "two"));
  CHECK(reading.consumed().gaps == 1);
  REQUIRE(reading.stop());
  CHECK(rt::test::eventually(
      10s, [&] { return server.value("SELECT count(*) FROM pg_replication_slots") == "0"; }));
}

TEST_CASE("wal source: it stops within a second, also while a slot cannot be made",
          "[integration][wal_source]") {
  PrivatePostgres server;
  make_table(server);
  rt::Connection blocker = server.connect("application_name=night_job");
  REQUIRE(blocker.exec("BEGIN; INSERT INTO t (a) VALUES ('open')", "test statement"));
  WalReading reading(options_for(server));
  REQUIRE(reading.wait_for([](const Consumed& c) {
    return !c.notices.empty() &&
           c.notices.back().find("(night_job, idle in transaction") != std::string::npos;
  }));
  CHECK(rt::test::time_of([&] { CHECK(reading.stop()); }) < 1500ms);
  REQUIRE(blocker.exec("COMMIT", "test statement"));
  CHECK(rt::test::eventually(
      10s, [&] { return server.value("SELECT count(*) FROM pg_replication_slots") == "0"; }));
}

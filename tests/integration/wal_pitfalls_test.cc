// What docs/wal-pitfalls.md says of a recorder and of PostgreSQL, where no other test needs it:
// each is brought about on a real server.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "archive/reader.h"
#include "archive/stream_tracker.h"
#include "base/text.h"
#include "integration/child_process.h"
#include "integration/recording.h"
#include "integration/wal_reading.h"

using namespace rt::test;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> kKept = {"--slot", "s", "--keep-slot"};

void finish(RunningTool& recorder, const PrivatePostgres& postgres) {
  REQUIRE(all_confirmed(postgres));
  recorder.signal(SIGINT);
  CHECK(recorder.finish().status == 130);
}

// A CA of its own, and certificate and key that it signed for localhost, where the server looks for
// them.
void use_tls(const PrivatePostgres& postgres, const RecordingFolder& folder) {
  const std::string at = folder.path.string();
  const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  run_openssl(at, "req -x509 " + key + " -keyout ca.key -out ca.pem -subj /CN=private-ca");
  run_openssl(at, "req -x509 " + key + " -keyout other.key -out other.pem -subj /CN=other-ca");
  run_openssl(at, "req " + key + " -keyout server.key -out server.csr -subj /CN=localhost");
  run_openssl(at,
              "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.crt");
  const std::string data = postgres.folder() + "/data";
  struct stat owner {};
  REQUIRE(::stat(data.c_str(), &owner) == 0);
  for (const std::string name : {"server.crt", "server.key"}) {
    const std::string to = data + "/" + name;
    std::filesystem::copy_file(folder / name, to);
    REQUIRE(::chmod(to.c_str(), 0600) == 0);
    REQUIRE(::chown(to.c_str(), owner.st_uid, owner.st_gid) == 0);
  }
  postgres.exec("ALTER SYSTEM SET ssl = on");
  postgres.exec("SELECT pg_reload_conf()");
  REQUIRE(eventually(10s, [&] {
    return rt::Connection::connect(postgres.dsn("host=localhost sslmode=require"), {}).has_value();
  }));
}

std::vector<std::string> over_tls(const PrivatePostgres& postgres, const std::string& archive,
                                  const std::string& host, const std::string& ca) {
  auto words = record_words(postgres, archive, kKept);
  *std::find(words.begin(), words.end(), postgres.dsn()) =
      "host=" + host + " hostaddr=127.0.0.1 port=" + std::to_string(postgres.port()) +
      " user=postgres dbname=postgres sslmode=verify-full sslrootcert=" + ca;
  return words;
}

struct Place {
  std::uint64_t lsn = 0;  // XLogData start
  rt::Position position;
  char letter = 0;
};
// Every message of the stream as the archive has it.
std::vector<Place> places(const std::string& archive) {
  auto reader = rt::archive::Reader::open(archive);
  REQUIRE(reader);
  std::vector<Place> all;
  rt::archive::Entry entry;
  while (reader->next(entry).value()) {
    if (entry.record.prelude || entry.record.kind != rt::RecordKind::wal) continue;
    all.push_back({entry.record.lsn, entry.position, rt::archive::wal_letter(entry.record.body)});
  }
  return all;
}

}  // namespace

TEST_CASE(
    "wal pitfalls: over TLS nothing stays behind in OpenSSL, and a server of another CA is refused",
    "[wal_pitfalls]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  const RecordingFolder folder;
  use_tls(postgres, folder);
  const std::string archive = folder / "rec";
  CHECK(run(over_tls(postgres, archive, "localhost", folder / "other.pem")).status == 3);
  const Outcome misnamed = run(over_tls(postgres, archive, "otherhost", folder / "ca.pem"));
  CHECK(misnamed.status == 3);
  CHECK_THAT(misnamed.err, Catch::Contains("does not match host name"));
  CHECK_FALSE(std::filesystem::exists(archive));

  RunningTool recorder(over_tls(postgres, archive, "localhost", folder / "ca.pem"));
  REQUIRE(recorder.wait_for("streaming from"));
  CHECK(postgres.value("SELECT ssl FROM pg_stat_ssl JOIN pg_stat_replication USING (pid)") == "t");
  // Sizes around what a TLS record holds (16 KiB), alone and in bursts: the end of each is all that
  // is left to read.
  int id = 0;
  for (const int size : {1, 16'384, 16'385, 50'000}) {
    for (const int rows : {1, 3, 100}) {
      const std::string first = std::to_string(id + 1);
      id += rows;
      postgres.exec("INSERT INTO orders SELECT i, repeat('x', " + std::to_string(size) +
                    ") FROM generate_series(" + first + ", " + std::to_string(id) + ") i");
      CHECK(eventually(30s, [&] { return info_of(archive)["rows"] == id; }));
    }
  }
  finish(recorder, postgres);
  CHECK((recorded_ids(archive) == numbers(1, id)));
  CHECK(info_of(archive)["gaps"].empty());
}

TEST_CASE(
    "wal pitfalls: with synchronous_standby_names = * commits wait for the recorder, which says so",
    "[wal_pitfalls]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  postgres.exec("CREATE PUBLICATION p FOR TABLE orders");
  postgres.exec("ALTER SYSTEM SET synchronous_standby_names = '*'");
  postgres.exec("SELECT pg_reload_conf()");
  const RecordingFolder folder;
  RunningTool recorder(record_words(postgres, folder / "rec", kKept));
  REQUIRE(recorder.wait_for("synchronous_standby_names is '*': commits may wait"));
  REQUIRE(recorder.wait_for("streaming from"));
  REQUIRE(eventually(
      10s, [&] { return postgres.value("SELECT sync_state FROM pg_stat_replication") == "sync"; }));
  insert_orders(postgres, 1, 2);  // returns once it is durable in the archive
  CHECK(recorded_ids(folder / "rec") == numbers(1, 2));
  recorder.signal(SIGSTOP);
  std::jthread writer([&] { insert_orders(postgres, 3, 3); });
  CHECK(eventually(10s, [&] {
    return postgres.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") ==
           "1";
  }));
  recorder.signal(SIGCONT);
  writer.join();
  CHECK(recorded_ids(folder / "rec") == numbers(1, 3));
  postgres.exec("ALTER SYSTEM RESET synchronous_standby_names");
  postgres.exec("SELECT pg_reload_conf()");
  finish(recorder, postgres);
}

TEST_CASE("wal pitfalls: commits that do not wait for the disk arrive late, and that is said",
          "[wal_pitfalls]") {
  PrivatePostgres postgres(PrivatePostgres::Settings{{"wal_writer_delay", "1s"}});
  make_orders(postgres);
  postgres.exec("ALTER ROLE postgres SET synchronous_commit = off");
  const RecordingFolder folder;
  RunningTool recorder(record_words(postgres, folder / "rec", kKept));
  REQUIRE(recorder.wait_for("synchronous_commit is off here"));
  REQUIRE(recorder.wait_for("streaming from"));
  insert_orders(postgres, 1, 1);
  // The server sends what it has flushed, and it flushes when it likes to.
  REQUIRE(eventually(10s, [&] { return info_of(folder / "rec")["rows"] == 1; }));
  recorder.signal(SIGINT);
  recorder.finish();
}

TEST_CASE("wal pitfalls: a server that answers no more is given up, and read again when it does",
          "[wal_pitfalls]") {
  PrivatePostgres postgres(PrivatePostgres::Settings{{"wal_sender_timeout", "1s"}});
  make_orders(postgres);
  const RecordingFolder folder;
  RunningTool recorder(record_words(postgres, folder / "rec", kKept));
  REQUIRE(recorder.wait_for("streaming from"));
  insert_orders(postgres, 1, 1);
  const int sender = std::stoi(postgres.value("SELECT pid FROM pg_stat_replication"));
  REQUIRE(::kill(sender, SIGSTOP) == 0);  // the connection stays open, and silent
  const bool given_up = recorder.wait_for("no longer answers");
  REQUIRE(::kill(sender, SIGCONT) == 0);
  REQUIRE(given_up);
  insert_orders(postgres, 2, 2);
  finish(recorder, postgres);
  CHECK(recorded_ids(folder / "rec") == numbers(1, 2));
  CHECK(info_of(folder / "rec")["gaps"].empty());
}

TEST_CASE(
    "wal pitfalls: a server restored from an older copy is refused, not skipped over in silence",
    "[wal_pitfalls]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  const RecordingFolder folder;
  const std::string archive = folder / "rec";
  const auto record = [&](int first, int last) {
    RunningTool recorder(record_words(postgres, archive, kKept));
    REQUIRE(recorder.wait_for("streaming from"));
    insert_orders(postgres, first, last);
    finish(recorder, postgres);
  };
  const auto copy = [&](const std::string& from, const std::string& to) {
    REQUIRE(postgres.stop_fast());
    const std::string at = postgres.folder() + "/";
    REQUIRE(std::system(("rm -rf " + at + to + " && cp -a " + at + from + " " + at + to).c_str()) ==
            0);
    postgres.start();
  };
  record(1, 2);
  copy("data", "older");
  postgres.exec("CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 1000)");
  record(3, 4);
  copy("older", "data");  // the same cluster on the same timeline, but shorter
  const Outcome refused = run(record_words(postgres, archive, kKept));
  CHECK(refused.status == 4);
  CHECK_THAT(refused.err,
             Catch::Contains("the server's WAL ends at") && Catch::Contains("before our position"));
  CHECK(recorded_ids(archive) == numbers(1, 4));
}

TEST_CASE("wal pitfalls: from a commit's LSN its transaction comes again, from its end it does not",
          "[wal_pitfalls]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  rt::WalSourceOptions options;
  options.dsn = postgres.dsn();
  options.slot = "s";
  options.publication = "p";
  options.tables = {{"public", "orders"}};
  options.snapshot = rt::SnapshotMode::never;
  WalReading::Habits habits;
  habits.confirm = false;
  std::uint64_t commit_lsn = 0;
  std::uint64_t end_lsn = 0;
  {
    WalReading reading(options, habits);
    REQUIRE(reading.wait_streaming());
    insert_orders(postgres, 1, 1);
    REQUIRE(reading.wait_for([](const Consumed& c) { return c.end_lsn != 0; }));
    commit_lsn = reading.consumed().commit_lsn;
    end_lsn = reading.consumed().end_lsn;
  }
  insert_orders(postgres, 2, 2);
  const auto rows_from = [&](std::uint64_t lsn) {
    options.start_lsn = lsn;
    WalReading reading(options, habits);
    REQUIRE(reading.wait_for([](const Consumed& c) {
      return !c.inserted.empty() && c.inserted.back().starts_with("2|");
    }));
    return reading.consumed().inserted.size();
  };
  // In this order: where it starts it confirms to hold what was before.
  CHECK(rows_from(commit_lsn) == 2);
  CHECK(rows_from(end_lsn) == 1);
}

TEST_CASE("wal pitfalls: LSNs of messages repeat, go back and are 0; positions do none of it",
          "[wal_pitfalls]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  const RecordingFolder folder;
  const std::string archive = folder / "rec";
  RunningTool recorder(record_words(postgres, archive, kKept));
  REQUIRE(recorder.wait_for("streaming from"));
  rt::Connection early = postgres.connect();
  REQUIRE(early.exec("BEGIN; INSERT INTO orders VALUES (2)", "test"));
  insert_orders(postgres, 1, 1);  // begins later, commits first
  REQUIRE(early.exec("COMMIT", "test"));
  postgres.exec("COPY orders (id) FROM PROGRAM 'seq 3 52'");
  finish(recorder, postgres);
  CHECK((recorded_ids(archive) == numbers(1, 52)));
  std::set<std::uint64_t> row_lsns;
  bool zero = false;
  bool back = false;
  std::uint64_t last_lsn = 0;
  std::optional<rt::Position> last;
  bool ascending = true;
  int rows = 0;
  for (const Place& place : places(archive)) {
    zero = zero || place.lsn == 0;
    back = back || (place.lsn != 0 && place.lsn < last_lsn);
    last_lsn = std::max(last_lsn, place.lsn);
    if (!rt::archive::is_row_letter(place.letter)) continue;
    ++rows;
    row_lsns.insert(place.lsn);
    // Of the row: the archive's reader stands behind it.
    ascending = ascending && (!last || *last < place.position);
    last = place.position;
  }
  CHECK(rows == 52);
  CHECK(row_lsns.size() < 52);
  CHECK(zero);
  CHECK(back);
  CHECK(ascending);
}

TEST_CASE("wal pitfalls: text that is no UTF-8 is kept, and is base64 as JSON", "[wal_pitfalls]") {
  PrivatePostgres postgres;
  postgres.exec(
      "CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'");
  rt::Connection other = postgres.connect("dbname=ascii");
  REQUIRE(other.exec("CREATE TABLE orders (id int PRIMARY KEY, note text)", "test"));
  const RecordingFolder folder;
  const std::string archive = folder / "a.rtr";
  auto words = record_words(postgres, archive, {"--slot", "s", "--count", "2"});
  *std::find(words.begin(), words.end(), postgres.dsn()) = postgres.dsn("dbname=ascii");
  RunningTool recorder(words);
  REQUIRE(recorder.wait_for("streaming from"));
  REQUIRE(other.exec("INSERT INTO orders VALUES (1, E'\\xff\\xfe'), (2, 'plain')", "test"));
  CHECK(recorder.finish().status == 0);
  const auto lines = lines_of(archive);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["new"]["note"] == nlohmann::json{{"base64", "//4="}});
  CHECK(lines[1]["new"]["note"] == "plain");
  const std::string exported = folder / "lines";
  CHECK(run({"rtreplay", "convert", archive, "--as", "ndjson", "-o", exported}).status == 0);
  CHECK(run({"rtreplay", "convert", exported, "-o", folder / "b.rtr"}).status == 0);
  CHECK((lines_of(folder / "b.rtr") == lines));
}

TEST_CASE("wal pitfalls: the server's clock is sampled beside ours", "[wal_pitfalls]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  const RecordingFolder folder;
  RunningTool recorder(record_words(postgres, folder / "a.rtr", kKept));
  REQUIRE(recorder.wait_for("streaming from"));
  insert_orders(postgres, 1, 1);
  finish(recorder, postgres);
  auto reader = rt::archive::Reader::open(folder / "a.rtr");
  REQUIRE(reader);
  rt::archive::Entry entry;
  int samples = 0;
  while (reader->next(entry).value()) {
    if (entry.record.kind != rt::RecordKind::keepalive) continue;
    ++samples;
    REQUIRE(entry.record.body.size() == 16);
    std::uint64_t server_us = 0;  // little-endian, as this machine
    std::memcpy(&server_us, entry.record.body.data() + 8, sizeof server_us);
    // One machine, one clock: only the way lies between.
    CHECK(std::abs(entry.record.received_us - static_cast<std::int64_t>(server_us)) < 5'000'000);
  }
  CHECK(samples > 0);
}

// The server needs some 3 GiB of memory for it.
TEST_CASE("wal pitfalls: a row that the server cannot send ends it with the server's error",
          "[wal_pitfalls][.long]") {
  PrivatePostgres postgres(PrivatePostgres::Settings{{"max_wal_size", "4GB"}});
  postgres.exec(
      "CREATE TABLE orders (id int PRIMARY KEY, note text, more text); "
      "ALTER TABLE orders REPLICA IDENTITY FULL; "
      "INSERT INTO orders VALUES (1, repeat('x', 600000000))");
  const RecordingFolder folder;
  const std::string archive = folder / "rec";
  RunningTool recorder(record_words(postgres, archive, kKept));
  REQUIRE(recorder.wait_for("streaming from"));
  postgres.exec("INSERT INTO orders VALUES (2)");
  // Small on the disk; the old row and what is new are more than 1 GiB as text.
  postgres.exec("UPDATE orders SET more = repeat('y', 600000000) WHERE id = 1");
  const Outcome stuck = recorder.finish();
  INFO(stuck.err);
  CHECK(stuck.status == 4);
  // And again, at the same place.
  CHECK(run(record_words(postgres, archive, kKept)).status == 4);
  CHECK(recorded_ids(archive) == std::vector<int>{2});
  postgres.exec("SELECT pg_drop_replication_slot('s')");
  postgres.exec("DELETE FROM orders WHERE id = 1");
  RunningTool healed(record_words(postgres, archive, {"--slot", "s", "--keep-slot", "--snapshot"}));
  REQUIRE(healed.wait_for("streaming from"));
  postgres.exec("INSERT INTO orders VALUES (3)");
  finish(healed, postgres);
  const auto info = info_of(archive);
  CHECK(info["gaps"].size() == 1);
  CHECK(info["snapshot_rows"] == 1);
  CHECK(recorded_ids(archive) == std::vector<int>{2, 3});
}

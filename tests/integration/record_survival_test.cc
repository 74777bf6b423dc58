// rtreplay record wal when somebody or something interferes: nothing is lost without a word.
#include <filesystem>
#include <fstream>

#include "archive/writer.h"
#include "base/clock.h"
#include "integration/recording.h"

using namespace rt::test;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> kKept = {"--slot", "s", "--keep-slot"};

std::vector<std::string> kept_and(std::vector<std::string> more) {
  more.insert(more.begin(), kKept.begin(), kKept.end());
  return more;
}

// Records until all that is committed is durable and confirmed, then stops it in good order.
void record_all(const PrivatePostgres& postgres, const std::string& archive,
                const std::vector<std::string>& more = kKept) {
  RunningTool recorder(record_words(postgres, archive, more));
  REQUIRE(recorder.wait_for("streaming from"));
  REQUIRE(all_confirmed(postgres));
  recorder.signal(SIGINT);
  REQUIRE(recorder.finish().status == 130);
}

// More WAL than the slot may keep; only its removal makes the slot lost.
void lose_slot(const PrivatePostgres& postgres) {
  REQUIRE(eventually(20s, [&] {
    postgres.exec("SELECT pg_logical_emit_message(true, 'p', repeat('x', 20000000))");
    postgres.exec("SELECT pg_switch_wal()");
    postgres.exec("CHECKPOINT");
    return postgres.value("SELECT wal_status FROM pg_replication_slots") == "lost";
  }));
}

const PrivatePostgres::Settings kLittleWal = {
    {"max_slot_wal_keep_size", "1MB"}, {"min_wal_size", "32MB"}, {"max_wal_size", "32MB"}};

}  // namespace

TEST_CASE("record survival: what another consumer took from the slot is a gap, idle time is none",
          "[record_survival]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  postgres.exec("CREATE TABLE unpublished (a text)");
  const RecordingFolder folder;
  const std::string archive = folder / "rec";
  RunningTool first(record_words(postgres, archive, kKept));
  REQUIRE(first.wait_for("streaming from"));
  insert_orders(postgres, 1, 3);
  // Confirmed by keepalives alone, and killed: the slot stands beyond the last transaction.
  postgres.exec("INSERT INTO unpublished SELECT repeat('x', 1000) FROM generate_series(1, 1000)");
  REQUIRE(all_confirmed(postgres));
  first.signal(SIGKILL);
  first.finish();
  insert_orders(postgres, 4, 5);
  record_all(postgres, archive);
  CHECK(info_of(archive)["gaps"].empty());

  insert_orders(postgres, 6, 8);
  CHECK(postgres.value("SELECT count(*) > 0 FROM pg_logical_slot_get_binary_changes('s', NULL, "
                       "NULL, 'proto_version', '1', 'publication_names', 'p')") == "t");
  RunningTool later(record_words(postgres, archive, kKept));
  REQUIRE(later.wait_for("was moved by another consumer"));
  REQUIRE(later.wait_for("streaming from"));
  insert_orders(postgres, 9, 9);
  REQUIRE(all_confirmed(postgres));
  later.signal(SIGINT);
  CHECK(later.finish().status == 130);
  CHECK(info_of(archive)["gaps"].size() == 1);
  CHECK(recorded_ids(archive) == std::vector<int>{1, 2, 3, 4, 5, 9});
}

TEST_CASE("record survival: a slot in use is taken over only when asked, and he who lost it knows",
          "[record_survival]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  const RecordingFolder folder;
  RunningTool owner(record_words(postgres, folder / "a", kKept));
  REQUIRE(owner.wait_for("streaming from"));
  insert_orders(postgres, 1, 2);
  REQUIRE(all_confirmed(postgres));
  CHECK(run(record_words(postgres, folder / "b", {"--takeover"})).status == 2);

  RunningTool heir(record_words(postgres, folder / "b", kept_and({"--takeover"})));
  REQUIRE(heir.wait_for("is taken over"));
  REQUIRE(heir.wait_for("streaming from"));
  insert_orders(postgres, 3, 4);
  REQUIRE(all_confirmed(postgres));
  heir.signal(SIGINT);
  CHECK(heir.finish().status == 130);
  CHECK(recorded_ids(folder / "b") == numbers(3, 4));

  REQUIRE(owner.wait_for("was moved by another consumer"));
  insert_orders(postgres, 5, 5);
  REQUIRE(all_confirmed(postgres));
  owner.signal(SIGINT);
  owner.finish();
  CHECK(recorded_ids(folder / "a") == std::vector<int>{1, 2, 5});
  CHECK(info_of(folder / "a")["gaps"].size() == 1);
}

TEST_CASE("record survival: an invalidated slot ends it with status 6 and a gap; a snapshot heals",
          "[record_survival]") {
  PrivatePostgres postgres(kLittleWal);
  make_orders(postgres);
  const RecordingFolder folder;
  const std::string archive = folder / "rec";
  RunningTool recorder(record_words(postgres, archive, kKept));
  REQUIRE(recorder.wait_for("streaming from"));
  insert_orders(postgres, 1, 3);
  REQUIRE(all_confirmed(postgres));
  recorder.signal(SIGSTOP);
  lose_slot(postgres);
  insert_orders(postgres, 4, 5);
  recorder.signal(SIGCONT);
  const Outcome lost = recorder.finish();
  CHECK(lost.status == 6);
  CHECK_THAT(lost.err, Catch::Contains("slot \"s\" is lost"));
  CHECK(info_of(archive)["gaps"].size() == 1);

  // Without a snapshot it stays so, and the gap is told once.
  CHECK(run(record_words(postgres, archive, kKept)).status == 6);
  CHECK(info_of(archive)["gaps"].size() == 1);

  RunningTool healed(record_words(postgres, archive, kept_and({"--snapshot"})));
  REQUIRE(healed.wait_for("streaming from"));
  insert_orders(postgres, 6, 6);
  REQUIRE(all_confirmed(postgres));
  healed.signal(SIGINT);
  CHECK(healed.finish().status == 130);
  const auto info = info_of(archive);
  CHECK(info["gaps"].size() == 1);
  CHECK(info["snapshot_rows"] == 5);
  CHECK(recorded_ids(archive) == std::vector<int>{1, 2, 3, 6});
}

TEST_CASE("record survival: a dropped slot is not made anew in silence", "[record_survival]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  const RecordingFolder folder;
  const std::string archive = folder / "rec";
  // Also when nothing but the passing of time was recorded.
  const int rows = GENERATE(0, 2);
  if (rows > 0) {
    RunningTool recorder(record_words(postgres, archive, kKept));
    REQUIRE(recorder.wait_for("streaming from"));
    insert_orders(postgres, 1, rows);
    REQUIRE(all_confirmed(postgres));
    recorder.signal(SIGKILL);
    recorder.finish();
  } else {
    RunningTool recorder(record_words(postgres, archive, kKept));
    REQUIRE(recorder.wait_for("streaming from"));
    postgres.exec("CREATE TABLE unpublished (a text)");
    REQUIRE(all_confirmed(postgres));
    recorder.signal(SIGKILL);
    recorder.finish();
  }
  REQUIRE(eventually(
      10s, [&] { return postgres.value("SELECT active FROM pg_replication_slots") == "f"; }));
  postgres.exec("SELECT pg_drop_replication_slot('s')");
  insert_orders(postgres, 10, 11);
  const Outcome gone = run(record_words(postgres, archive, kKept));
  CHECK(gone.status == 6);
  CHECK_THAT(gone.err, Catch::Contains("no longer exists"));
  CHECK(info_of(archive)["gaps"].size() == 1);
  CHECK(postgres.value("SELECT count(*) FROM pg_replication_slots") == "0");
}

TEST_CASE("record survival: another cluster and another timeline are refused",
          "[record_survival]") {
  PrivatePostgres postgres(PrivatePostgres::Settings{{"restore_command", "/bin/false"}});
  make_orders(postgres);
  const RecordingFolder folder;
  SECTION("another cluster") {
    rt::archive::Origin foreign;
    foreign.system_identifier = 1;
    foreign.timeline = 1;
    const auto now = rt::archive::Moment::of(rt::SystemClock());
    auto writer = rt::archive::Writer::create(folder / "a.rtr", foreign, now);
    REQUIRE(writer);
    REQUIRE(writer->close(now.now));
    const Outcome outcome = run(record_words(postgres, folder / "a.rtr", kKept));
    CHECK(outcome.status == 4);
    CHECK_THAT(outcome.err, Catch::Contains("it records cluster 1"));
  }
  SECTION("another timeline, also beneath a running recorder") {
    const std::string archive = folder / "rec";
    RunningTool recorder(record_words(postgres, archive, kKept));
    REQUIRE(recorder.wait_for("streaming from"));
    insert_orders(postgres, 1, 2);
    REQUIRE(all_confirmed(postgres));
    REQUIRE(postgres.stop_fast());
    std::ofstream(postgres.folder() + "/data/recovery.signal").close();
    postgres.start();
    REQUIRE(eventually(20s, [&] { return postgres.value("SELECT pg_is_in_recovery()") == "f"; }));
    const Outcome running = recorder.finish();
    CHECK(running.status == 4);
    CHECK_THAT(running.err, Catch::Contains("the server is on timeline 2"));
    const Outcome outcome = run(record_words(postgres, archive, kKept));
    CHECK(outcome.status == 4);
    CHECK_THAT(outcome.err, Catch::Contains("it records timeline 1"));
    CHECK(recorded_ids(archive) == numbers(1, 2));
  }
}

TEST_CASE("record survival: fast shutdown does not wait for what is not published",
          "[record_survival]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  postgres.exec("CREATE TABLE unpublished (a text)");
  const RecordingFolder folder;
  RunningTool recorder(record_words(postgres, folder / "a.rtr", kKept));
  REQUIRE(recorder.wait_for("streaming from"));
  postgres.exec("INSERT INTO unpublished SELECT repeat('x', 1000) FROM generate_series(1, 5000)");
  insert_orders(postgres, 1, 1);
  const auto took = time_of([&] { CHECK(postgres.stop_fast(5s)); });
  CHECK(took < 3s);
  postgres.start();
}

TEST_CASE("record survival: messages outside transactions are there once, whatever dies",
          "[record_survival]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  const RecordingFolder folder;
  const std::string archive = folder / "rec";
  for (int life = 0; life < 3; ++life) {
    RunningTool recorder(record_words(postgres, archive, kKept));
    REQUIRE(recorder.wait_for("streaming from"));
    postgres.exec("BEGIN; INSERT INTO orders VALUES (" + std::to_string(life) +
                  ", ''); SELECT pg_logical_emit_message(false, 'note', 'm" + std::to_string(life) +
                  "'); COMMIT");
    if (life == 1) REQUIRE(postgres.stop_immediate());
    if (life == 1) postgres.start();
    if (life == 2) REQUIRE(all_confirmed(postgres));
    recorder.signal(SIGKILL);
    recorder.finish();
  }
  record_all(postgres, archive);
  CHECK(recorded_ids(archive) == numbers(0, 2));
  CHECK(info_of(archive)["gaps"].empty());
}

TEST_CASE("record survival: a slot that pins too much is dropped, with a gap and status 6",
          "[record_survival]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  postgres.exec("CREATE TABLE unpublished (a text)");
  const RecordingFolder folder;
  RunningTool recorder(
      record_words(postgres, folder / "rec", kept_and({"--drop-slot-over", "1MiB"})));
  REQUIRE(recorder.wait_for("streaming from"));
  insert_orders(postgres, 1, 2);
  REQUIRE(all_confirmed(postgres));
  // A transaction that stays open: the server must keep all WAL since its beginning.
  rt::Connection open = postgres.connect();
  REQUIRE(open.exec("BEGIN; INSERT INTO unpublished VALUES ('open')", "test statement"));
  postgres.exec("INSERT INTO unpublished SELECT repeat('x', 1000) FROM generate_series(1, 5000)");
  const Outcome dropped = recorder.finish();
  CHECK(dropped.status == 6);
  CHECK_THAT(dropped.err, Catch::Contains("it was dropped"));
  CHECK(postgres.value("SELECT count(*) FROM pg_replication_slots") == "0");
  CHECK(info_of(folder / "rec")["gaps"].size() == 1);
  CHECK(recorded_ids(folder / "rec") == numbers(1, 2));
}

TEST_CASE("record survival: a recorder that lags is warned of, marked, and says so at its end",
          "[record_survival]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  const RecordingFolder folder;
  RunningTool recorder(record_words(postgres, folder / "rec",
                                    {"--slot", "s", "--max-lag", "1MiB", "--count", "40000"}));
  REQUIRE(recorder.wait_for("streaming from"));
  recorder.signal(SIGSTOP);
  postgres.exec("INSERT INTO orders SELECT i, repeat('x', 1000) FROM generate_series(1, 40000) i");
  linger(1100ms);  // its next look is due as soon as it goes on
  recorder.signal(SIGCONT);
  const Outcome lagged = recorder.finish();
  CHECK(lagged.status == 1);
  CHECK_THAT(lagged.err, Catch::Contains("behind the server, more than"));
  CHECK(info_of(folder / "rec")["rows"] == 40000);
}

TEST_CASE("record survival: segments rotate by size, and compression is a choice",
          "[record_survival]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  const RecordingFolder folder;
  const auto record = [&](const std::string& name, std::vector<std::string> more) {
    more.insert(more.end(), {"--slot", "s", "--count", "4000"});
    postgres.exec("TRUNCATE orders");
    RunningTool recorder(record_words(postgres, folder / name, more));
    REQUIRE(recorder.wait_for("streaming from"));
    for (int i = 0; i < 4; ++i) {
      postgres.exec("INSERT INTO orders SELECT i + 1000 * " + std::to_string(i) +
                    ", repeat('x', 400) FROM generate_series(1, 1000) i");
    }
    CHECK(recorder.finish().status == 0);
    CHECK(recorded_ids(folder / name) == numbers(1, 4000));
    return info_of(folder / name)["file_bytes"].get<double>();
  };
  const double small = record("zstd", {"--compress", "zstd:3"});
  const double large = record("raw", {"--compress", "none", "--rotate", "256KiB,10m"});
  CHECK(large > 4 * small);
  const auto files = std::distance(std::filesystem::directory_iterator(folder / "raw"),
                                   std::filesystem::directory_iterator());
  CHECK(files >= 3);
  CHECK(run({"rtreplay", "verify", folder / "raw"}).status == 0);
  CHECK(run(record_words(postgres, folder / "c.rtr", {"--rotate", "10m"})).status == 2);
  CHECK(run(record_words(postgres, folder / "c", {"--rotate", "often"})).status == 2);
  CHECK(run(record_words(postgres, folder / "c", {"--compress", "lzma"})).status == 2);
}

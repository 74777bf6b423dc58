// rtreplay record wal on a real PostgreSQL: what is committed is in the archive, once, whatever
// dies.
#include <filesystem>

#include "integration/recording.h"

using namespace rt::test;

TEST_CASE("record: killed three times and started again, each row is there exactly once",
          "[record]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  const RecordingFolder folder;
  const std::string archive = folder / "rec";
  int last = 0;
  for (int life = 0; life < 4; ++life) {
    RunningTool recorder(record_words(postgres, archive, {"--slot", "s", "--keep-slot"}));
    REQUIRE(recorder.wait_for("streaming from"));
    insert_orders(postgres, last + 1, last + 20);
    last += 20;
    if (life == 3) {
      REQUIRE(eventually(std::chrono::seconds(20), [&] {
        return postgres.value("SELECT confirmed_flush_lsn >= '" +
                              postgres.value("SELECT pg_current_wal_lsn()") +
                              "' FROM pg_replication_slots WHERE slot_name = 's'") == "t";
      }));
      recorder.signal(SIGINT);
      CHECK(recorder.finish().status == 130);
    } else {
      recorder.signal(SIGKILL);  // in the middle of whatever it does
      CHECK(recorder.finish().status == 128 + SIGKILL);
    }
    insert_orders(postgres, last + 1, last + 5);  // while nobody records
    last += 5;
  }
  const Outcome end =
      run(record_words(postgres, archive, {"--slot", "s", "--keep-slot", "--count", "5"}));
  CHECK(end.status == 0);
  CHECK(recorded_ids(archive) == numbers(1, last));
  CHECK(run({"rtreplay", "verify", archive}).status == 0);
  CHECK(info_of(archive)["gaps"].empty());
}

TEST_CASE("record: a snapshot stores what was there, once, without a seam", "[record]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  insert_orders(postgres, 1, 3);
  const RecordingFolder folder;
  const std::string archive = folder / "a.rtr";
  RunningTool recorder(
      record_words(postgres, archive, {"--slot", "s", "--snapshot", "--count", "2"}));
  REQUIRE(recorder.wait_for("streaming from"));
  insert_orders(postgres, 4, 5);
  const Outcome end = recorder.finish();
  CHECK(end.status == 0);
  CHECK(recorded_ids(archive) == std::vector<int>{4, 5});
  CHECK(info_of(archive)["snapshot_rows"] == 3);
  const Outcome all = run({"rtreplay", "cat", archive, "--snapshot"});
  CHECK(std::count(all.out.begin(), all.out.end(), '\n') == 5);
  // A temporary slot leaves nothing behind, and a later run says that something may be missing.
  REQUIRE(eventually(std::chrono::seconds(10), [&] {
    return postgres.value("SELECT count(*) FROM pg_replication_slots") == "0";
  }));
  const Outcome again =
      run(record_words(postgres, archive, {"--slot", "s", "--duration", "300ms"}));
  CHECK(again.status == 0);
  CHECK_THAT(again.err, Catch::Contains("a gap is recorded"));
  CHECK(info_of(archive)["gaps"].size() == 1);
}

TEST_CASE("record: a server that shuts down fast is not kept waiting", "[record]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  const RecordingFolder folder;
  RunningTool recorder(record_words(postgres, folder / "a.rtr", {"--slot", "s", "--keep-slot"}));
  REQUIRE(recorder.wait_for("streaming from"));
  insert_orders(postgres, 1, 10);
  CHECK(postgres.stop_fast());
  postgres.start();
  insert_orders(postgres, 11, 12);
  REQUIRE(eventually(std::chrono::seconds(20), [&] {
    return postgres.value(
               "SELECT confirmed_flush_lsn >= pg_current_wal_lsn() FROM pg_replication_slots") ==
           "t";
  }));
  recorder.signal(SIGTERM);
  CHECK(recorder.finish().status == 143);
  CHECK(recorded_ids(folder / "a.rtr") == numbers(1, 12));
}

TEST_CASE("record: a bad slot name and a dead server are one clear line", "[record]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  const RecordingFolder folder;
  CHECK(run(record_words(postgres, folder / "a.rtr", {"--slot", "s", "--duration", "200ms"}))
            .status == 0);
  CHECK(run(record_words(postgres, folder / "b.rtr", {"--slot", "Capital", "--duration", "1s"}))
            .status == 2);
  postgres.kill_9();
  const Outcome dead = run(record_words(postgres, folder / "c.rtr", {"--slot", "s"}));
  CHECK(dead.status == 3);
  CHECK_FALSE(std::filesystem::exists(folder / "c.rtr"));
}

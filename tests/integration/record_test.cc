// rtreplay record wal on a real PostgreSQL: what is committed is in the archive, once, whatever
// dies.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "integration/patience.h"
#include "integration/private_postgres.h"
#include "integration/running_tool.h"

using namespace rt::test;

namespace {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               ("rt-record-" + std::to_string(::getpid()) + "-" +
                                std::to_string(reinterpret_cast<std::uintptr_t>(this)));
  Folder() { std::filesystem::create_directory(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
};

std::vector<std::string> record_words(const PrivatePostgres& postgres, const std::string& archive,
                                      std::vector<std::string> more) {
  std::vector<std::string> words = {"rtreplay",      "record", "wal",      "--pg",   postgres.dsn(),
                                    "--publication", "p",      "--tables", "orders", "-o",
                                    archive};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// id of each row in the archive, in order.
std::vector<int> recorded(const std::string& archive) {
  const Outcome cat = run({"rtreplay", "cat", archive});
  REQUIRE(cat.status == 0);
  std::vector<int> ids;
  std::istringstream lines(cat.out);
  for (std::string line; std::getline(lines, line);) {
    const auto row = nlohmann::json::parse(line);
    if (row.contains("op") && !row["new"].is_null()) {
      ids.push_back(std::stoi(row["new"]["id"].get<std::string>()));
    }
  }
  return ids;
}

nlohmann::json info(const std::string& archive) {
  const Outcome outcome = run({"rtreplay", "info", archive, "--json"});
  REQUIRE(outcome.status == 0);
  return nlohmann::json::parse(outcome.out);
}

std::vector<int> count_to(int last) {
  std::vector<int> all;
  for (int i = 1; i <= last; ++i) all.push_back(i);
  return all;
}

void insert(const PrivatePostgres& postgres, int first, int last) {
  for (int i = first; i <= last; ++i) {
    postgres.exec("INSERT INTO orders VALUES (" + std::to_string(i) + ", repeat('x', 100))");
  }
}

}  // namespace

TEST_CASE("record: killed three times and started again, each row is there exactly once",
          "[record]") {
  PrivatePostgres postgres;
  postgres.exec("CREATE TABLE orders (id int PRIMARY KEY, note text)");
  const Folder folder;
  const std::string archive = folder / "rec";
  int last = 0;
  for (int life = 0; life < 4; ++life) {
    RunningTool recorder(record_words(postgres, archive, {"--slot", "s", "--keep-slot"}));
    REQUIRE(recorder.wait_for("streaming from"));
    insert(postgres, last + 1, last + 20);
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
    insert(postgres, last + 1, last + 5);  // while nobody records
    last += 5;
  }
  const Outcome end =
      run(record_words(postgres, archive, {"--slot", "s", "--keep-slot", "--count", "5"}));
  CHECK(end.status == 0);
  CHECK(recorded(archive) == count_to(last));
  CHECK(run({"rtreplay", "verify", archive}).status == 0);
  CHECK(info(archive)["gaps"].empty());
}

TEST_CASE("record: a snapshot stores what was there, once, without a seam", "[record]") {
  PrivatePostgres postgres;
  postgres.exec("CREATE TABLE orders (id int PRIMARY KEY, note text)");
  insert(postgres, 1, 3);
  const Folder folder;
  const std::string archive = folder / "a.rtr";
  RunningTool recorder(
      record_words(postgres, archive, {"--slot", "s", "--snapshot", "--count", "2"}));
  REQUIRE(recorder.wait_for("streaming from"));
  insert(postgres, 4, 5);
  const Outcome end = recorder.finish();
  CHECK(end.status == 0);
  CHECK(recorded(archive) == std::vector<int>{4, 5});
  CHECK(info(archive)["snapshot_rows"] == 3);
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
  CHECK(info(archive)["gaps"].size() == 1);
}

TEST_CASE("record: a server that shuts down fast is not kept waiting", "[record]") {
  PrivatePostgres postgres;
  postgres.exec("CREATE TABLE orders (id int PRIMARY KEY, note text)");
  const Folder folder;
  RunningTool recorder(record_words(postgres, folder / "a.rtr", {"--slot", "s", "--keep-slot"}));
  REQUIRE(recorder.wait_for("streaming from"));
  insert(postgres, 1, 10);
  CHECK(postgres.stop_fast());
  postgres.start();
  insert(postgres, 11, 12);
  REQUIRE(eventually(std::chrono::seconds(20), [&] {
    return postgres.value(
               "SELECT confirmed_flush_lsn >= pg_current_wal_lsn() FROM pg_replication_slots") ==
           "t";
  }));
  recorder.signal(SIGTERM);
  CHECK(recorder.finish().status == 143);
  CHECK(recorded(folder / "a.rtr") == count_to(12));
}

TEST_CASE("record: a bad slot name and a dead server are one clear line", "[record]") {
  PrivatePostgres postgres;
  postgres.exec("CREATE TABLE orders (id int PRIMARY KEY, note text)");
  const Folder folder;
  CHECK(run(record_words(postgres, folder / "a.rtr", {"--slot", "s", "--duration", "200ms"}))
            .status == 0);
  CHECK(run(record_words(postgres, folder / "b.rtr", {"--slot", "Capital", "--duration", "1s"}))
            .status == 2);
  postgres.kill_9();
  const Outcome dead = run(record_words(postgres, folder / "c.rtr", {"--slot", "s"}));
  CHECK(dead.status == 3);
  CHECK_FALSE(std::filesystem::exists(folder / "c.rtr"));
}

// rtreplay record wal and prepared transactions: with --two-phase the archive keeps what was
// prepared, when, and how it ended; without, they come whole when they commit. Either way what
// committed is there once, and nothing else.
#include "integration/recording.h"

using namespace rt::test;
using namespace std::chrono_literals;

namespace {

const PrivatePostgres::Settings kPrepares = {{"max_prepared_transactions", "10"},
                                             {"logical_decoding_work_mem", "64kB"}};

void prepare(const PrivatePostgres& postgres, int id, int rows = 1) {
  const std::string first = std::to_string(id);
  postgres.exec("BEGIN; INSERT INTO orders SELECT i, repeat('x', 200) FROM generate_series(" +
                first + ", " + std::to_string(id + rows - 1) + ") i; PREPARE TRANSACTION 'g" +
                first + "'");
}
void commit(const PrivatePostgres& postgres, int id) {
  postgres.exec("COMMIT PREPARED 'g" + std::to_string(id) + "'");
}
void roll_back(const PrivatePostgres& postgres, int id) {
  postgres.exec("ROLLBACK PREPARED 'g" + std::to_string(id) + "'");
}

std::vector<std::string> words_for(const PrivatePostgres& postgres, const std::string& archive,
                                   std::vector<std::string> more) {
  more.insert(more.begin(), {"--slot", "s", "--keep-slot"});
  return record_words(postgres, archive, std::move(more));
}

// What `cat` says of prepared transactions: "prepare g1".
std::vector<std::string> prepared_lines(const std::string& archive) {
  std::vector<std::string> lines;
  for (const auto& line : lines_of(archive)) {
    if (!line.contains("gid")) continue;
    lines.push_back(line["type"].get<std::string>() + " " + line["gid"].get<std::string>());
  }
  return lines;
}

void end(RunningTool& recorder, const PrivatePostgres& postgres) {
  REQUIRE(all_confirmed(postgres));
  recorder.signal(SIGINT);
  CHECK(recorder.finish().status == 130);
}

std::vector<int> ids_in(const PrivatePostgres& postgres) {
  std::vector<int> ids;
  rt::Connection connection = postgres.connect();
  const auto rows = connection.query("SELECT id FROM orders ORDER BY id", "test query");
  REQUIRE(rows);
  for (int i = 0; i < rows->size(); ++i) ids.push_back(std::stoi(std::string(rows->text(i, 0))));
  return ids;
}

}  // namespace

TEST_CASE(
    "record prepared: what was prepared and how it ended is kept; what committed is one "
    "transaction",
    "[record_prepared]") {
  PrivatePostgres postgres(kPrepares);
  make_orders(postgres);
  const RecordingFolder folder;
  const std::string archive = folder / "rec";
  const bool streaming = GENERATE(false, true);
  CAPTURE(streaming);
  std::vector<std::string> more = {"--two-phase"};
  if (streaming) more.push_back("--streaming");
  RunningTool recorder(words_for(postgres, archive, more));
  REQUIRE(recorder.wait_for("streaming from"));
  prepare(postgres, 1);
  prepare(postgres, 1000, 2000);  // more than the server keeps in memory
  prepare(postgres, 2);
  REQUIRE(all_confirmed(postgres));
  // Durable before they end: that is what the option is for.
  CHECK(prepared_lines(archive) ==
        std::vector<std::string>{"prepare g1", "prepare g1000", "prepare g2"});
  CHECK(recorded_ids(archive).empty());
  insert_orders(postgres, 3, 3);
  roll_back(postgres, 2);
  commit(postgres, 1000);
  commit(postgres, 1);
  prepare(postgres, 4);
  end(recorder, postgres);

  std::vector<int> expected = {3};
  for (int id = 1000; id < 3000; ++id) expected.push_back(id);
  expected.push_back(1);
  CHECK((recorded_ids(archive) == expected));
  const auto info = info_of(archive);
  CHECK(info["transactions"] == 3);
  CHECK(info["rows"] == 2002);
  CHECK(info["gaps"].empty());
  CHECK(info["prepared"]["all"] == 4);
  CHECK(info["prepared"]["committed"] == 2);
  CHECK(info["prepared"]["rolled_back"] == 1);
  CHECK(info["prepared"]["waiting"] == 1);
  CHECK(run({"rtreplay", "verify", archive}).status == 0);
  CHECK(run({"rtreplay", "convert", archive, "-o", folder / "lines", "--as", "ndjson"}).status ==
        0);
  CHECK(run({"rtreplay", "convert", folder / "lines", "-o", folder / "again.rtr"}).status == 0);
  CHECK(info_of(folder / "again.rtr")["prepared"] == info["prepared"]);

  const PrivatePostgres target;
  make_orders(target);
  const Outcome played =
      run({"rtreplay", "play", archive, "--to",
           "postgresql://postgres@127.0.0.1:" + std::to_string(target.port()) + "/postgres",
           "--speed", "max"});
  INFO(played.err);
  CHECK(played.status == 0);
  CHECK_THAT(played.err, Catch::Contains("committed 3 transactions"));
  CHECK((ids_in(target) == ids_in(postgres)));
}

TEST_CASE("record prepared: killed between prepare and commit, each is there once",
          "[record_prepared]") {
  PrivatePostgres postgres(kPrepares);
  make_orders(postgres);
  const RecordingFolder folder;
  const std::string archive = folder / "rec";
  // Prepared before the slot knows of two phases; it comes whole when it commits.
  {
    RunningTool plain(words_for(postgres, archive, {}));
    REQUIRE(plain.wait_for("streaming from"));
    insert_orders(postgres, 1, 1);
    prepare(postgres, 2);
    prepare(postgres, 3);
    end(plain, postgres);
  }
  for (int life = 0; life < 4; ++life) {
    // The slot remembers: the second does not say it any more.
    RunningTool recorder(words_for(
        postgres, archive,
        life == 0 ? std::vector<std::string>{"--two-phase"} : std::vector<std::string>{}));
    REQUIRE(recorder.wait_for("streaming from"));
    const int id = 100 + 10 * life;
    prepare(postgres, id);
    prepare(postgres, id + 1);
    if (life == 0) commit(postgres, 2);
    if (life == 1) roll_back(postgres, 3);
    if (life > 0) commit(postgres, id - 10);
    if (life > 0) roll_back(postgres, id - 9);
    if (life == 2) {
      REQUIRE(postgres.stop_immediate());
      postgres.start();
    }
    if (life % 2 == 1) REQUIRE(all_confirmed(postgres));
    recorder.signal(SIGKILL);
    recorder.finish();
  }
  RunningTool last(words_for(postgres, archive, {}));
  REQUIRE(last.wait_for("prepared transactions that wait for their end: 2"));
  REQUIRE(last.wait_for("streaming from"));
  commit(postgres, 130);
  end(last, postgres);
  CHECK((recorded_ids(archive) == std::vector<int>{1, 2, 100, 110, 120, 130}));
  auto ids = recorded_ids(archive);
  CHECK((ids == ids_in(postgres)));
  const auto info = info_of(archive);
  CHECK(info["gaps"].empty());
  CHECK(info["prepared"]["committed"] == 5);  // 2 and four of this test's lives
  CHECK(info["prepared"]["rolled_back"] == 3);
  CHECK(info["prepared"]["waiting"] == 1);
  CHECK(run({"rtreplay", "verify", archive}).status == 0);
}

TEST_CASE("record prepared: without the option they come when they commit, and none is lost",
          "[record_prepared]") {
  PrivatePostgres postgres(kPrepares);
  make_orders(postgres);
  const RecordingFolder folder;
  const std::string archive = folder / "rec";
  for (int life = 0; life < 3; ++life) {
    RunningTool recorder(words_for(postgres, archive, {}));
    REQUIRE(recorder.wait_for("streaming from"));
    if (life > 0) commit(postgres, life);
    prepare(postgres, life + 1);
    prepare(postgres, 100 + life);
    roll_back(postgres, 100 + life);
    // The server keeps what is prepared, though all is confirmed and more was written since.
    insert_orders(postgres, 10 + life, 10 + life);
    REQUIRE(all_confirmed(postgres));
    recorder.signal(SIGKILL);
    recorder.finish();
    if (life == 1) {
      REQUIRE(postgres.stop_immediate());
      postgres.start();
    }
  }
  RunningTool last(words_for(postgres, archive, {}));
  REQUIRE(last.wait_for("streaming from"));
  commit(postgres, 3);
  end(last, postgres);
  CHECK((recorded_ids(archive) == std::vector<int>{10, 1, 11, 2, 12, 3}));
  CHECK(info_of(archive)["gaps"].empty());
  CHECK(info_of(archive)["prepared"]["all"] == 0);
}

TEST_CASE("record prepared: a filter does not let rows through that it takes away",
          "[record_prepared]") {
  PrivatePostgres postgres(kPrepares);
  postgres.exec(
      "CREATE TABLE orders (id int PRIMARY KEY, note text); "
      "CREATE TABLE audit (id int PRIMARY KEY, note text)");
  postgres.exec("CREATE PUBLICATION p FOR ALL TABLES");
  const RecordingFolder folder;
  RunningTool recorder({"rtreplay", "record", "wal", "--pg", postgres.dsn(), "--publication", "p",
                        "--slot", "s", "--two-phase", "-o", folder / "a.rtr", "--count", "2"});
  REQUIRE(recorder.wait_for("streaming from"));
  postgres.exec(
      "BEGIN; INSERT INTO orders VALUES (1, 'open'); INSERT INTO audit VALUES (1, 'hush'); "
      "PREPARE TRANSACTION 'g1'");
  postgres.exec("COMMIT PREPARED 'g1'");
  CHECK(recorder.finish().status == 0);
  CHECK(run({"rtreplay", "filter", folder / "a.rtr", "--table", "!audit", "-o", folder / "b.rtr"})
            .status == 0);
  CHECK(recorded_ids(folder / "b.rtr") == std::vector<int>{1});
  const Outcome lines = run({"rtreplay", "convert", folder / "b.rtr", "--as", "ndjson"});
  CHECK_THAT(lines.out, Catch::Contains("open") && !Catch::Contains("hush"));
  CHECK(info_of(folder / "b.rtr")["prepared"]["all"] == 0);
}

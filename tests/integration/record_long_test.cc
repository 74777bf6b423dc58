// Every committed row is in the archive exactly once and in commit order, whatever is killed in
// between; replayed into a second cluster it gives the same tables, and only once.
// RT_RECORD_TRANSACTIONS changes how much is written; the full run is
//   build/dev/bin/test_integration "[record_long][.long]"
#include <atomic>
#include <cstdlib>
#include <thread>

#include "base/random.h"
#include "base/text.h"
#include "base/units.h"
#include "integration/recording.h"

using namespace rt::test;
using namespace std::chrono_literals;

namespace {

struct Plan {
  int transactions = 0;
  int kills = 0;    // of the recorder, by SIGKILL
  int crashes = 0;  // of PostgreSQL, by immediate stop
};

constexpr int kWriters = 4;

// Inserts, updates and deletes: each transaction has a number of its own, so that a row tells which
// one wrote it.
class Writers {
 public:
  Writers(const PrivatePostgres& server, int transactions) {
    for (int i = 0; i < kWriters; ++i) {
      threads_.emplace_back([this, dsn = server.dsn(), i, transactions] {
        while (!ended_ && commits_ < transactions) write(dsn, i, transactions);
      });
    }
  }
  ~Writers() {
    ended_ = true;
    threads_.clear();
  }
  int commits() const { return commits_; }
  void wait() { threads_.clear(); }

 private:
  void write(const std::string& dsn, int writer, int transactions) {
    auto connection = rt::Connection::connect(dsn, {});
    if (!connection) return linger(20ms);
    rt::Random chance(static_cast<std::uint64_t>(writer + 1));
    while (!ended_ && commits_ < transactions) {
      const std::string key = std::to_string(chance.below(1000));
      const std::string sql =
          "BEGIN; INSERT INTO orders (note) VALUES (repeat('x', " +
          std::to_string(chance.below(200)) + ")); INSERT INTO state VALUES (" + key + ", " +
          std::to_string(writer) +
          ") ON CONFLICT (id) DO UPDATE SET n = state.n + excluded.n + 1; INSERT INTO journal "
          "VALUES (" +
          std::to_string(writer) + ", " + key + "); " +
          (chance.below(10) == 0 ? "DELETE FROM state WHERE id = " + key + "; " : "") + "COMMIT";
      if (!connection->exec(sql, "write")) return;
      ++commits_;
    }
  }

  std::atomic<int> commits_{0};
  std::atomic<bool> ended_{false};
  std::vector<std::jthread> threads_;
};

// The commit order of the inserted rows as PostgreSQL itself decodes it.
std::vector<int> true_order(const PrivatePostgres& server) {
  rt::Connection connection = server.connect();
  const auto rows = connection.query(
      "SELECT substring(data from 'id\\[bigint\\]:(\\d+)') FROM "
      "pg_logical_slot_get_changes('truth', NULL, NULL, 'include-xids', '0') "
      "WHERE data LIKE 'table public.orders: INSERT%'",
      "test query");
  if (!rows) FAIL(rows.error().text);
  std::vector<int> ids;
  for (int row = 0; row < rows->size(); ++row) {
    ids.push_back(static_cast<int>(*rt::parse_decimal(rows->text(row, 0))));
  }
  return ids;
}

// The same as the archive has it.
std::vector<int> recorded_order(const std::string& archive) {
  std::vector<int> ids;
  for (const auto& line : lines_of(archive)) {
    if (line.value("op", "") != "I" || line["rel"] != "public.orders") continue;
    ids.push_back(std::stoi(line["new"]["id"].get<std::string>()));
  }
  return ids;
}

const std::vector<std::string> kTables = {"orders", "state", "journal"};

// journal has no key: a row that is applied twice is there twice.
void make_tables(const PrivatePostgres& server) {
  server.exec(
      "CREATE TABLE orders (id bigserial PRIMARY KEY, note text); "
      "CREATE TABLE state (id int PRIMARY KEY, n int); ALTER TABLE state REPLICA IDENTITY FULL; "
      "CREATE TABLE journal (writer int, key int)");
}

// Rows and content hash of each table; `more` is hashed with every row.
std::vector<std::string> content(const PrivatePostgres& server, const std::string& more = "''") {
  std::vector<std::string> all;
  for (const std::string& table : kTables) {
    all.push_back(
        table + ": " +
        server.value("SELECT count(*) || ' rows, ' || md5(coalesce(string_agg(row, E'\\n' "
                     "ORDER BY row), '')) FROM (SELECT t::text || " +
                     more + " AS row FROM " + table + " t) rows"));
  }
  return all;
}

// One strike after another, evenly over the whole; crashes among the kills.
void strike_while_written(const Plan& plan, const Writers& writers, PrivatePostgres& server,
                          std::unique_ptr<RunningTool>& recorder,
                          const std::vector<std::string>& words) {
  const int strikes = plan.kills + plan.crashes;
  for (int strike = 0; strike < strikes; ++strike) {
    const int due = plan.transactions / (strikes + 1) * (strike + 1);
    REQUIRE(eventually(600s, [&] { return writers.commits() >= due; }));
    if ((strike + 1) * plan.crashes / strikes > strike * plan.crashes / strikes) {
      REQUIRE(server.stop_immediate());
      server.start();
    } else {
      recorder->signal(SIGKILL);
      recorder->finish();
      recorder = std::make_unique<RunningTool>(words);
      const bool goes_on = recorder->wait_for("streaming from");
      INFO(recorder->error_text());
      REQUIRE(goes_on);
    }
  }
}

void record_through(const Plan& plan, PrivatePostgres& server, const std::string& archive) {
  auto words = record_words(server, archive, {"--slot", "s", "--keep-slot", "--rotate", "4MiB"});
  *std::find(words.begin(), words.end(), "orders") = "orders,state,journal";
  auto recorder = std::make_unique<RunningTool>(words);
  REQUIRE(recorder->wait_for("streaming from"));
  Writers writers(server, plan.transactions);
  strike_while_written(plan, writers, server, recorder, words);
  writers.wait();
  REQUIRE(eventually(120s, [&] {
    return server.value(
               "SELECT confirmed_flush_lsn >= pg_current_wal_lsn() FROM "
               "pg_replication_slots WHERE slot_name = 's'") == "t";
  }));
  recorder->signal(SIGINT);
  CHECK(recorder->finish().status == 130);
  CHECK(std::stoi(server.value("SELECT count(*) FROM orders")) >= writers.commits());
}

// Into a second cluster, twice.
void replay(const std::string& archive, const std::vector<std::string>& wanted) {
  const PrivatePostgres target;
  make_tables(target);
  const std::vector<std::string> words = {
      "rtreplay",
      "play",
      archive,
      "--to",
      "postgresql://postgres@127.0.0.1:" + std::to_string(target.port()) + "/postgres",
      "--speed",
      "max"};
  const Outcome first = run(words);
  INFO(first.err);
  REQUIRE(first.status == 0);
  CHECK(content(target) == wanted);
  // xmin: a row that was written again, though with the same values, shows.
  const auto written = content(target, "xmin");
  const Outcome again = run(words);
  CHECK(again.status == 0);
  CHECK_THAT(again.err, Catch::Contains("committed 0 transactions"));
  CHECK(content(target, "xmin") == written);
}

void prove(const Plan& plan) {
  PrivatePostgres server(PrivatePostgres::Settings{{"fsync", "on"},
                                                   {"max_wal_size", "256MB"},
                                                   {"commit_delay", "0"},
                                                   {"wal_writer_delay", "10ms"}});
  make_tables(server);
  server.exec("SELECT pg_create_logical_replication_slot('truth', 'test_decoding')");
  const RecordingFolder folder;
  const std::string archive = folder / "rec";
  record_through(plan, server, archive);

  CHECK(run({"rtreplay", "verify", archive}).status == 0);
  const auto info = info_of(archive);
  CHECK(info["gaps"].empty());
  CHECK(info["transactions"].get<int>() >= plan.transactions);
  CHECK((recorded_order(archive) == true_order(server)));
  const auto wanted = content(server);
  replay(archive, wanted);
  WARN(info["transactions"] << " transactions, " << info["rows"] << " rows, " << plan.kills
                            << " kills, " << plan.crashes << " crashes; " << wanted[0] << "; "
                            << wanted[1] << "; " << wanted[2]);
}

int transactions_or(int usual) {
  const char* wish = std::getenv("RT_RECORD_TRANSACTIONS");
  return wish != nullptr ? static_cast<int>(*rt::parse_count(wish)) : usual;
}

}  // namespace

TEST_CASE("record long: 4 writers, 3 kills, a crash: replayed, all tables are equal, and only once",
          "[record_long]") {
  prove({transactions_or(2'000), 3, 1});
}

TEST_CASE("record long: 100,000 transactions, ten kills, three crashes: the same",
          "[record_long][.long]") {
  prove({transactions_or(100'000), 10, 3});
}

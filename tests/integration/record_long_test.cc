// Every committed row is in the archive exactly once and in commit order, whatever is killed in
// between. RT_RECORD_TRANSACTIONS changes how much is written; the full run is
//   build/dev/bin/test_integration "record long: 100,000*"
#include <atomic>
#include <cstdlib>
#include <map>
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
          ") ON CONFLICT (id) DO UPDATE SET n = state.n + excluded.n + 1; " +
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

// Plays the archive into tables "<name>_copy".
std::vector<int> rebuild(const PrivatePostgres& server, const std::string& archive) {
  std::vector<int> inserted;
  std::map<std::string, std::string> orders;
  std::map<std::string, std::string> state;
  for (const auto& line : lines_of(archive)) {
    if (!line.contains("op")) continue;
    auto& table = line["rel"] == "public.orders" ? orders : state;
    const std::string op = line["op"];
    if (op == "D") {
      table.erase(line["old"]["id"].get<std::string>());
      continue;
    }
    const auto& row = line["new"];
    const std::string id = row["id"];
    if (&table == &orders) inserted.push_back(std::stoi(id));
    table[id] = row[&table == &orders ? "note" : "n"];
  }
  server.exec("CREATE TABLE orders_copy (LIKE orders); CREATE TABLE state_copy (LIKE state)");
  const auto fill = [&](const std::string& name, const std::map<std::string, std::string>& rows) {
    rt::Connection connection = server.connect();
    REQUIRE(connection.exec("BEGIN", "test"));
    std::string values;
    for (auto at = rows.begin(); at != rows.end();) {
      values += "(" + at->first + ",'" + at->second + "'),";
      if (++at != rows.end() && values.size() < 500'000) continue;
      values.pop_back();
      REQUIRE(connection.exec("INSERT INTO " + name + "_copy VALUES " + values, "test"));
      values.clear();
    }
    REQUIRE(connection.exec("COMMIT", "test"));
  };
  fill("orders", orders);
  fill("state", state);
  return inserted;
}

std::string content_hash(const PrivatePostgres& server, const std::string& table) {
  return server.value(
      "SELECT count(*) || ' rows, ' || coalesce(md5(string_agg(t::text, E'\\n' "
      "ORDER BY id)), '') FROM " +
      table + " t");
}

void record_through(const Plan& plan) {
  PrivatePostgres server(PrivatePostgres::Settings{{"fsync", "on"},
                                                   {"max_wal_size", "256MB"},
                                                   {"commit_delay", "0"},
                                                   {"wal_writer_delay", "10ms"}});
  server.exec(
      "CREATE TABLE orders (id bigserial PRIMARY KEY, note text); "
      "CREATE TABLE state (id int PRIMARY KEY, n int); ALTER TABLE state REPLICA IDENTITY FULL");
  server.exec("SELECT pg_create_logical_replication_slot('truth', 'test_decoding')");
  const RecordingFolder folder;
  const std::string archive = folder / "rec";
  auto words = record_words(server, archive, {"--slot", "s", "--keep-slot", "--rotate", "4MiB"});
  *std::find(words.begin(), words.end(), "orders") = "orders,state";
  auto recorder = std::make_unique<RunningTool>(words);
  REQUIRE(recorder->wait_for("streaming from"));

  Writers writers(server, plan.transactions);
  const int strikes = plan.kills + plan.crashes;
  for (int strike = 0; strike < strikes; ++strike) {
    const int due = plan.transactions / (strikes + 1) * (strike + 1);
    REQUIRE(eventually(600s, [&] { return writers.commits() >= due; }));
    // Crashes among the kills, evenly.
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
  writers.wait();
  REQUIRE(eventually(120s, [&] {
    return server.value(
               "SELECT confirmed_flush_lsn >= pg_current_wal_lsn() FROM "
               "pg_replication_slots WHERE slot_name = 's'") == "t";
  }));
  recorder->signal(SIGINT);
  CHECK(recorder->finish().status == 130);

  CHECK(run({"rtreplay", "verify", archive}).status == 0);
  CHECK(info_of(archive)["gaps"].empty());
  CHECK(info_of(archive)["transactions"].get<int>() >= plan.transactions);
  const auto inserted = rebuild(server, archive);
  const auto truth = true_order(server);
  CHECK(inserted.size() == truth.size());
  CHECK((inserted == truth));
  CHECK(content_hash(server, "orders_copy") == content_hash(server, "orders"));
  CHECK(content_hash(server, "state_copy") == content_hash(server, "state"));
  WARN(writers.commits() << " transactions, " << plan.kills << " kills, " << plan.crashes
                         << " crashes: " << content_hash(server, "orders"));
}

int transactions_or(int usual) {
  const char* wish = std::getenv("RT_RECORD_TRANSACTIONS");
  return wish != nullptr ? static_cast<int>(*rt::parse_count(wish)) : usual;
}

}  // namespace

TEST_CASE("record long: 4 writers, 3 kills and a crash: each row once, in commit order",
          "[record_long]") {
  record_through({transactions_or(5'000), 3, 1});
}

TEST_CASE("record long: 100,000 transactions, ten kills, three crashes", "[.long]") {
  record_through({transactions_or(100'000), 10, 3});
}

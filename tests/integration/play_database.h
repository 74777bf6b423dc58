// A recording of one private cluster, played into another.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>

#include "integration/patience.h"
#include "integration/private_postgres.h"
#include "integration/running_tool.h"
#include "temp_folder.h"

namespace rt::test {

inline std::string url(const PrivatePostgres& postgres, const std::string& user = "postgres") {
  return "postgresql://" + user + "@127.0.0.1:" + std::to_string(postgres.port()) + "/postgres";
}

// Runs `change` while everything is recorded into `archive`.
template <typename Change>
void record(const PrivatePostgres& source, const std::string& archive, Change&& change,
            std::vector<std::string> more = {}) {
  std::vector<std::string> words = {"rtreplay",      "record", "wal",    "--pg", source.dsn(),
                                    "--publication", "p",      "--slot", "s",    "-o",
                                    archive};
  words.insert(words.end(), more.begin(), more.end());
  RunningTool recorder(words);
  REQUIRE(recorder.wait_for("streaming from"));
  change();
  REQUIRE(eventually(std::chrono::seconds(30), [&] {
    return source.value("SELECT confirmed_flush_lsn >= '" +
                        source.value("SELECT pg_current_wal_lsn()") +
                        "' FROM pg_replication_slots WHERE slot_name = 's'") == "t";
  }));
  recorder.signal(SIGINT);
  REQUIRE(recorder.finish().status == 130);
}

inline std::vector<std::string> play_words(const std::string& archive,
                                           const PrivatePostgres& target,
                                           std::vector<std::string> more = {}) {
  std::vector<std::string> words = {"rtreplay",  "play",    archive, "--to",
                                    url(target), "--speed", "max"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Number of rows and sum of their hashes, of each table.
inline std::string content(const PrivatePostgres& postgres,
                           const std::vector<std::string>& tables) {
  std::string all;
  for (const std::string& table : tables) {
    all += table + " " +
           postgres.value(
               "SELECT count(*) || ' ' || "
               "coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM " +
               table + " t") +
           "\n";
  }
  return all;
}

// Orders 1 to `last`, each inserted by a transaction of its own.
inline void insert_orders(const PrivatePostgres& source, int last) {
  source.exec("DO $$ BEGIN FOR i IN 1.." + std::to_string(last) +
              " LOOP INSERT INTO orders VALUES (i, repeat('x', 50)); COMMIT; END LOOP; END $$");
}
inline const char* const kOrders = "CREATE TABLE orders (id int PRIMARY KEY, note text)";

}  // namespace rt::test

// What tests of `rtreplay record wal` share: a folder, the words of the command, what is in the
// archive afterwards.
#pragma once

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "integration/patience.h"
#include "integration/private_postgres.h"
#include "integration/running_tool.h"

namespace rt::test {

struct RecordingFolder {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               ("rt-record-" + std::to_string(::getpid()) + "-" +
                                std::to_string(reinterpret_cast<std::uintptr_t>(this)));
  RecordingFolder() { std::filesystem::create_directory(path); }
  ~RecordingFolder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
};

// Publication p of table orders, unless `more` says otherwise (the last word counts).
inline std::vector<std::string> record_words(const PrivatePostgres& postgres,
                                             const std::string& archive,
                                             std::vector<std::string> more) {
  std::vector<std::string> words = {"rtreplay",      "record", "wal",      "--pg",   postgres.dsn(),
                                    "--publication", "p",      "--tables", "orders", "-o",
                                    archive};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Lines of `rtreplay cat`, as JSON.
inline std::vector<nlohmann::json> lines_of(const std::string& archive,
                                            std::vector<std::string> more = {}) {
  std::vector<std::string> words = {"rtreplay", "cat", archive};
  words.insert(words.end(), more.begin(), more.end());
  const Outcome cat = run(words);
  REQUIRE(cat.status == 0);
  std::vector<nlohmann::json> lines;
  std::istringstream text(cat.out);
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

// id of each row in the archive, in order.
inline std::vector<int> recorded_ids(const std::string& archive) {
  std::vector<int> ids;
  for (const auto& row : lines_of(archive)) {
    if (row.contains("op") && !row["new"].is_null()) {
      ids.push_back(std::stoi(row["new"]["id"].get<std::string>()));
    }
  }
  return ids;
}

inline nlohmann::json info_of(const std::string& archive) {
  const Outcome outcome = run({"rtreplay", "info", archive, "--json"});
  REQUIRE(outcome.status == 0);
  return nlohmann::json::parse(outcome.out);
}

inline std::vector<int> numbers(int first, int last) {
  std::vector<int> all;
  for (int i = first; i <= last; ++i) all.push_back(i);
  return all;
}

inline void make_orders(const PrivatePostgres& postgres) {
  postgres.exec("CREATE TABLE orders (id int PRIMARY KEY, note text)");
}

// One transaction each.
inline void insert_orders(const PrivatePostgres& postgres, int first, int last) {
  for (int i = first; i <= last; ++i) {
    postgres.exec("INSERT INTO orders VALUES (" + std::to_string(i) + ", repeat('x', 100))");
  }
}

// The slot is confirmed up to what is committed now.
inline bool all_confirmed(const PrivatePostgres& postgres, const std::string& slot = "s") {
  const std::string here = postgres.value("SELECT pg_current_wal_lsn()");
  return eventually(std::chrono::seconds(20), [&] {
    return postgres.value("SELECT confirmed_flush_lsn >= '" + here +
                          "' FROM pg_replication_slots WHERE slot_name = '" + slot + "'") == "t";
  });
}

}  // namespace rt::test

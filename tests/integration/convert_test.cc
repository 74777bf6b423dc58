// rtreplay convert --as wal2json beside the real plugin: the same changes, the same lines.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "integration/private_postgres.h"
#include "integration/running_tool.h"

using namespace rt::test;
using nlohmann::json;

namespace {

// Lines of transactions that have rows, without what pgoutput cannot tell: the end of a transaction
// at its beginning.
std::vector<json> comparable(const std::string& text) {
  std::vector<json> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    json one = json::parse(line);
    if (one["action"] == "B") one.erase("nextlsn");
    if (one["action"] == "C" && !all.empty() && all.back()["action"] == "B") {
      all.pop_back();
      continue;
    }
    all.push_back(std::move(one));
  }
  return all;
}

const char* const kTables =
    "CREATE TABLE t (id int PRIMARY KEY, a bigint, n numeric(10,2), f float8, b bool, v "
    "varchar(30),"
    " c char(4), ts timestamp(3), tz timestamptz, d date, j jsonb, js json, by bytea, u uuid,"
    " arr int[], ta text[], iv interval, tm time, bt bit(4), nn numeric, big text);"
    "ALTER TABLE t ALTER big SET STORAGE external;"
    "CREATE TABLE f (id int PRIMARY KEY, x text, y text); ALTER TABLE f REPLICA IDENTITY FULL";

const char* const kChanges[] = {
    "INSERT INTO t VALUES (1, 9007199254740993, 1.10, 'NaN', true, 'vi\"x', 'ab',"
    " '2026-03-29 00:30:00.125', '2026-03-29 00:30:00.1234+02', '2026-03-29', '{\"a\": 1}',"
    " '{\"b\":  2}', '\\x00ff', '00000000-0000-0000-0000-000000000001', '{1,NULL,3}',"
    " '{\"a,b\",c}', '1 mon 2 days', '12:34:56', '1010', 3.50, repeat('x', 5000))",
    "UPDATE t SET a = 1 WHERE id = 1",
    "UPDATE t SET id = 2, a = NULL",
    "DELETE FROM t",
    "INSERT INTO f VALUES (1, 'a', NULL), (2, E'\\u00e9\\n', 'z')",
    "UPDATE f SET x = 'b'",
    "DELETE FROM f WHERE id = 1",
    "TRUNCATE t, f",
};

}  // namespace

TEST_CASE("convert: wal2json's own lines and ours of one stream are the same", "[convert]") {
  const PrivatePostgres::Settings settings = {{"timezone", "UTC"}};
  const PrivatePostgres postgres(settings);
  if (postgres.value("SELECT count(*) FROM pg_ls_dir('/usr/lib/postgresql/15/lib') AS name "
                     "WHERE name = 'wal2json.so'") == "0") {
    WARN("wal2json is not installed (postgresql-15-wal2json): nothing is compared");
    return;
  }
  postgres.exec(kTables);
  const std::string folder =
      (std::filesystem::temp_directory_path() / ("rt-convert-" + std::to_string(::getpid())))
          .string();
  std::filesystem::create_directory(folder);
  const std::string archive = folder + "/a.rtr";
  RunningTool recorder({"rtreplay", "record", "wal", "--pg", postgres.dsn(), "--publication", "p",
                        "--tables", "t,f", "--slot", "s", "-o", archive, "--count", "11"});
  REQUIRE(recorder.wait_for("streaming from"));
  postgres.exec("SELECT pg_create_logical_replication_slot('w', 'wal2json')");
  for (const char* change : kChanges) postgres.exec(change);
  REQUIRE(recorder.finish().status == 0);
  const std::string theirs = postgres.value(
      "SELECT string_agg(data, E'\\n') FROM pg_logical_slot_get_changes('w', NULL, NULL,"
      " 'format-version', '2', 'include-xids', '1', 'include-timestamp', '1', 'include-lsn', '1',"
      " 'include-pk', '1')");
  const Outcome ours = run({"rtreplay", "convert", archive, "--as", "wal2json"});
  std::filesystem::remove_all(folder);
  CHECK(ours.status == 0);
  const auto expected = comparable(theirs);
  const auto made = comparable(ours.out);
  REQUIRE(expected.size() == 27);
  REQUIRE(made.size() == expected.size());
  for (std::size_t i = 0; i < made.size(); ++i) CHECK(made[i] == expected[i]);
}

// rtreplay verify --received on a real PostgreSQL: a recording taken beside the server says what
// each of its subscribers must have received.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "integration/patience.h"
#include "integration/private_postgres.h"
#include "integration/running_tool.h"
#include "temp_folder.h"

using namespace rt::test;
using nlohmann::json;

namespace {

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

void write_lines(const std::string& path, const std::vector<std::string>& lines) {
  std::ofstream file(path);
  for (const std::string& line : lines) file << line << '\n';
}

std::string address_of(RunningTool& server) {
  const std::string marker = "rtctl: serving http://";
  REQUIRE(server.wait_for("streaming from"));
  const std::string& text = server.error_text();
  const std::size_t at = text.find(marker) + marker.size();
  return text.substr(at, text.find(' ', at) - at);
}

struct Verdict {
  int status = 0;
  json subscriber;
};
Verdict verify(const std::string& archive, const std::string& log,
               std::vector<std::string> more = {}) {
  std::vector<std::string> words = {"rtreplay", "verify", archive, "--received", log, "--json"};
  words.insert(words.end(), more.begin(), more.end());
  const Outcome end = run(words);
  CAPTURE(end.out, end.err);
  const json report = json::parse(end.out, nullptr, false);
  REQUIRE(report.is_object());
  INFO(report.dump(2));
  return {end.status, report["subscribers"][0]};
}

}  // namespace

TEST_CASE("verify: subscribers of a server, held against a recording made beside it",
          "[verify_received]") {
  constexpr int kTransactions = 40;
  PrivatePostgres postgres;
  REQUIRE(run({"rtctl", "setup", "--pg", postgres.dsn()}).status == 0);
  postgres.exec(
      "INSERT INTO task_run (id, tags) SELECT 'old_' || i, '{}' FROM generate_series(1,5) i");
  const TempFolder folder;
  const std::string archive = folder / "a.rtr";
  RunningTool recorder({"rtreplay", "record", "wal", "--pg", postgres.dsn(), "--slot", "recorder",
                        "--snapshot", "--publication", "trigger_realtime_pub", "-o", archive});
  REQUIRE(recorder.wait_for("streaming from"));
  RunningTool server({"rtctl", "serve", "--listen", "127.0.0.1:0", "--pg", postgres.dsn()});
  const std::string url = "http://" + address_of(server);
  const auto subscribe = [&](const std::string& log, const std::string& count,
                             std::vector<std::string> filter) {
    std::vector<std::string> words = {"rtctl", "sub", "runs",    "--url", url,         "--json",
                                      "-o",    log,   "--count", count,   "--records", "all"};
    words.insert(words.end(), filter.begin(), filter.end());
    auto tool = std::make_unique<RunningTool>(words);
    return tool;
  };
  const auto all = subscribe(folder / "all.ndjson", std::to_string(5 + kTransactions * 3), {});
  const auto tagged =
      subscribe(folder / "tag.ndjson", std::to_string(kTransactions), {"--tag", "even"});
  for (const char* name : {"all.ndjson", "tag.ndjson"}) {
    REQUIRE(eventually(std::chrono::seconds(20), [&] {
      for (const std::string& line : lines_of(folder / name)) {
        if (line.find("caught up") != std::string::npos) return true;
      }
      return false;
    }));
  }
  for (int t = 0; t < kTransactions; ++t) {
    const std::string n = std::to_string(t);
    postgres.exec("BEGIN; INSERT INTO task_run (id, tags) VALUES ('a" + n + "', '{odd}'), ('b" + n +
                  "', '{even}'); UPDATE task_run SET data = '{\"n\": " + n +
                  "}' WHERE id = 'old_1'; COMMIT");
  }
  CHECK(all->finish().status == 0);
  CHECK(tagged->finish().status == 0);
  REQUIRE(eventually(std::chrono::seconds(20), [&] {
    return postgres.value(
               "SELECT bool_and(confirmed_flush_lsn >= pg_current_wal_flush_lsn()) "
               "FROM pg_replication_slots WHERE slot_name = 'recorder'") == "t";
  }));
  recorder.signal(SIGINT);
  recorder.finish();

  const Verdict sound = verify(archive, folder / "all.ndjson");
  CHECK(sound.status == 0);
  CHECK(sound.subscriber["matched"] == kTransactions * 3);
  CHECK(sound.subscriber["state_rows"] == 5);
  const Verdict filtered = verify(archive, folder / "tag.ndjson", {"--tag", "even"});
  CHECK(filtered.status == 0);
  CHECK(filtered.subscriber["expected"] == kTransactions);
  // The wrong filter is found out.
  CHECK(verify(archive, folder / "tag.ndjson", {"--tag", "odd"}).status == 6);

  std::vector<std::string> lines;
  for (const std::string& line : lines_of(folder / "all.ndjson")) {
    if (json::parse(line)["type"] == "event") lines.push_back(line);
  }
  REQUIRE(lines.size() == 5 + kTransactions * 3);
  auto broken = lines;
  std::swap(broken[5 + 90], broken[5 + 91]);               // in one transaction
  broken.insert(broken.begin() + 5 + 60, broken[5 + 59]);  // doubled
  broken.erase(broken.begin() + 5 + 31);                   // deleted
  write_lines(folder / "broken.ndjson", broken);
  const Verdict bad = verify(archive, folder / "broken.ndjson");
  CHECK(bad.status == 6);
  CHECK(bad.subscriber["missing"] == 1);
  CHECK(bad.subscriber["duplicate"] == 1);
  CHECK(bad.subscriber["reordered"] == 1);
  CHECK(bad.subscriber["torn"] == 1);
  CHECK(bad.subscriber["phantom"] == 0);
  CHECK(bad.subscriber["wrong_body"] == 0);
  CHECK(bad.subscriber["first"]["missing"]["id"] == json::parse(lines[5 + 31])["id"]);
  // A log of another time proves nothing, though what it has of this one is right.
  auto foreign = lines;
  for (int i = 0; i < 200; ++i) {
    json later = json::parse(lines.back());
    later["id"] = "FFFFFFFFFFFF" + std::to_string(1000 + i) + "-00000000";
    foreign.push_back(later.dump());
  }
  write_lines(folder / "foreign.ndjson", foreign);
  const Verdict unjudged = verify(archive, folder / "foreign.ndjson");
  CHECK(unjudged.status == 2);
  CHECK(unjudged.subscriber["verdict"] == "unjudged");
  CHECK(unjudged.subscriber["outside"] == 200);
  lines.resize(50);
  write_lines(folder / "short.ndjson", lines);
  const Verdict early = verify(archive, folder / "short.ndjson");
  CHECK(early.status == 1);
  CHECK(early.subscriber["behind"] == kTransactions * 3 - 45);
}

// A history that is kept within limits: what old segments come to, and a server that deletes them
// while it serves.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "archive/reader.h"
#include "archive/writer.h"
#include "base/random.h"
#include "integration/patience.h"
#include "server/history_files.h"
#include "server/history_fold.h"
#include "server/http_client.h"
#include "server/memory_table.h"
#include "server/run_changes.h"
#include "server/server.h"

using namespace rt;
using namespace rt::server;
using namespace rt::test;

namespace {

struct Folder {
  explicit Folder(const std::string& name)
      : path(std::filesystem::temp_directory_path() / (name + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;

  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    std::error_code gone;  // it is not made yet, or is being pruned
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path, gone)) {
      const auto size = entry.is_regular_file(gone) ? entry.file_size(gone) : 0;
      if (!gone) sum += size;
    }
    return sum;
  }
};

// Rows by id, as JSON.
std::map<std::string, std::string> rows_of(const RunStore& store) {
  std::map<std::string, std::string> rows;
  for (std::uint32_t slot = 0; slot < store.slot_end(); ++slot) {
    const RunStore::Row row = store.row(slot);
    if (row.table == nullptr) continue;
    std::string json;
    row.table->append_row(json, row.tuple);
    rows[std::string(row.table->id_of(row.tuple))] = json;
  }
  return rows;
}

const RunChanges::Listener kQuiet{[](EventRef) {}, [](Position) {}};

constexpr std::uint64_t kLimit = std::uint64_t{1} << 20;

std::unique_ptr<Server> start(const Clock& clock, const Folder& folder) {
  ServerOptions options;
  options.listen = *io::parse_address("127.0.0.1:0");
  options.connections_max = 2'000;
  options.accepts_publish = true;
  options.history = folder.path.string();
  options.history_limits.bytes_max = kLimit;
  options.history_ring_bytes = 1;  // who resumes reads the archive
  auto server = Server::start(std::move(options), clock);
  if (!server) FAIL(server.error().text);
  return std::move(*server);
}

std::string publish(HttpClient& client, const std::string& row) {
  client.forget();
  client.post("/v1/runs", row);
  const std::string& text = client.until("}\n");
  const std::size_t body = text.find("\r\n\r\n");
  REQUIRE(text.find("HTTP/1.1 200 OK\r\n") == 0);
  return nlohmann::json::parse(text.substr(body))["position"];
}

std::string read_from(const Server& server, const std::string& id, const std::string& until) {
  HttpClient client(server.address());
  client.get("/v1/runs/stream", id.empty() ? "" : "Last-Event-ID: " + id + "\r\n");
  return client.until(until);
}

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++found;
  }
  return found;
}

// A row that does not compress to nothing.
std::string busy_row(Random& random, int n) {
  std::string pad;
  while (pad.size() < 1'000) pad += std::to_string(random.next());
  return R"({"id":"busy","data":{"n":)" + std::to_string(n) + R"(,"pad":")" + pad + "\"}}";
}

}  // namespace

TEST_CASE("history: records fold to the rows that they led to", "[server][history]") {
  const Folder folder("rt-fold-");
  std::filesystem::create_directories(folder.path);
  const SystemClock clock;
  Random random(7);
  for (int round = 0; round < 20; ++round) {
    CAPTURE(round);
    RunStore store;
    RunChanges changes("task_run", store);
    HistoryFold fold;
    MemoryTable table;
    RecordBatch relation;
    table.append_relation(relation, clock.wall());
    const auto take = [&](const RecordBatch& batch) {
      for (std::size_t i = 0; i < batch.size(); ++i) {
        changes.take(batch[i], kQuiet);
        fold.take(batch[i]);
      }
    };
    take(relation);
    for (int i = 0; i < 300; ++i) {
      const std::string id = "r\\t" + std::to_string(random.below(20));
      const std::string rest = random.below(4) == 0 ? R"(,"deleted":true})"
                                                    : R"(,"tags":["a\tb","\\N"],"data":{"n":)" +
                                                          std::to_string(i) + "}}";
      RecordBatch batch;
      if (table.upsert("{\"id\":\"" + id + "\"" + rest, store, clock.wall(), batch)) take(batch);
    }
    CHECK(fold.is_whole());
    CHECK(fold.row_count() == store.size());
    const std::string path = (folder.path / (std::to_string(round) + ".rtr")).string();
    auto writer = archive::Writer::create(path, {}, archive::Moment::of(clock));
    REQUIRE(writer);
    REQUIRE(fold.write(*writer, clock.now()));
    REQUIRE(writer->close(clock.now()));

    RunStore again;
    RunChanges from_state("task_run", again);
    HistoryFold folded_again;
    auto reader = archive::Reader::open(path, {.committed_only = true});
    REQUIRE(reader);
    archive::Entry entry;
    while (*reader->next(entry)) {
      from_state.take(entry.record, kQuiet);
      folded_again.take(entry.record);
    }
    CHECK(rows_of(again) == rows_of(store));
    CHECK(from_state.damaged() == 0);
    CHECK(from_state.position().lsn == changes.position().lsn);
    CHECK(from_state.position() >= changes.position());
    CHECK(folded_again.row_count() == store.size());
  }
}

TEST_CASE("history: a fold inside a snapshot is not whole", "[server][history]") {
  HistoryFold fold;
  CHECK(fold.is_whole());
  fold.take({RecordKind::snapshot_begin, false, 100, 0, "{}"});
  CHECK_FALSE(fold.is_whole());
  fold.take({RecordKind::snapshot_end, false, 100, 0, {}});
  CHECK(fold.is_whole());
  CHECK(fold.position() == Position{99, Position::kEnd});
}

TEST_CASE(
    "history: a limit bounds the folder; a resume inside works, one before is told, no run is "
    "forgotten",
    "[server][history]") {
  const Folder folder("rt-prune-");
  const SystemClock clock;
  Random random(11);
  std::vector<std::string> positions;
  std::string first;
  constexpr int kUpdates = 6'000;
  constexpr int kBack = 100;
  {
    const auto server = start(clock, folder);
    HttpClient publisher(server->address());
    first = publish(publisher, R"({"id":"old","status":"WAITING"})");
    publish(publisher, R"({"id":"gone"})");
    publish(publisher, R"({"id":"gone","deleted":true})");
    std::uint64_t largest = 0;
    for (int n = 0; n < kUpdates; ++n) {
      positions.push_back(publish(publisher, busy_row(random, n)));
      if (n % 100 == 0) largest = std::max(largest, folder.bytes());
    }
    CHECK(eventually(std::chrono::seconds(20),
                     [&] { return folder.bytes() <= kLimit + kLimit / 4; }));
    CHECK(largest < 3 * kLimit);
    CHECK(server->counters().history_segments_pruned > 5);
    CHECK(server->counters().history_bytes > 2 * kLimit);
  }
  for (int restart = 0; restart < 3; ++restart) {
    CAPTURE(restart);
    if (restart == 1) {  // as a crash leaves it
      std::filesystem::copy(history_state(folder.path.string())->path,
                            unfinished_state_path(folder.path.string()));
    }
    const auto server = start(clock, folder);
    const std::string whole = read_from(*server, "", ": caught up");
    CHECK(count(whole, "event: initial") == 2);
    CHECK(whole.find("\"id\":\"old\",\"env_id\":null,\"status\":\"WAITING\"") != std::string::npos);
    CHECK(whole.find("\"n\":" + std::to_string(kUpdates - 1) + ",") != std::string::npos);

    const std::string inside = read_from(*server, positions[kUpdates - 1 - kBack], ": caught up");
    CHECK(count(inside, "event: delta") == kBack);
    CHECK(inside.find("sending the current state") == std::string::npos);

    const std::string before = read_from(*server, first, ": caught up");
    CHECK(before.find(": history does not reach back to " + first) != std::string::npos);
    CHECK(count(before, "event: initial") == 2);
    // The pruner may be writing its own just now.
    const std::string unfinished = unfinished_state_path(folder.path.string());
    CHECK(
        eventually(std::chrono::seconds(20), [&] { return !std::filesystem::exists(unfinished); }));
  }
}

TEST_CASE("history: what is older than the limit goes, however small", "[server][history]") {
  const Folder folder("rt-age-");
  const SystemClock clock;
  Counters counters;
  HistoryLimits limits;
  limits.age_max = std::chrono::hours(1);
  archive::WriterOptions each_its_segment;
  each_its_segment.rotate_bytes = 1;
  auto writer = archive::Writer::create(folder.path.string(), {}, archive::Moment::of(clock),
                                        each_its_segment);
  REQUIRE(writer);
  RunStore store;
  MemoryTable table;
  RecordBatch batch;
  table.append_relation(batch, clock.wall());
  REQUIRE(table.upsert(R"({"id":"a"})", store, clock.wall(), batch));
  for (int i = 0; i < 3; ++i) {
    if (i > 0) {
      batch.clear();
      REQUIRE(table.upsert("{\"id\":\"b" + std::to_string(i) + "\"}", store, clock.wall(), batch));
    }
    for (std::size_t at = 0; at < batch.size(); ++at) {
      REQUIRE(writer->append(batch[at], clock.now()));
    }
    REQUIRE(writer->sync(clock.now()));
  }
  const std::size_t segments = history_segments(folder.path.string())->size();
  REQUIRE(segments >= 3);
  HistoryPruner pruner(folder.path.string(), limits, clock, counters, *io::Wakeup::create());
  REQUIRE(pruner.prune());
  CHECK(history_segments(folder.path.string())->size() == segments);
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(2);
  const auto all = history_segments(folder.path.string());
  for (const auto& segment : *all) {
    std::filesystem::last_write_time(segment.path, old);
  }
  REQUIRE(pruner.prune());
  CHECK(history_segments(folder.path.string())->size() == 1);  // the one being written
  CHECK(counters.history_segments_pruned == segments - 1);
  CHECK(history_state(folder.path.string())->number == segments - 1);
}

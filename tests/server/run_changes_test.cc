#include "server/run_changes.h"

#include <catch2/catch.hpp>

#include "server/run_stream.h"

using namespace rt;
using namespace rt::server;
using rt::test::RunStream;

namespace {

struct Fixture {
  RunStore store;
  RunChanges changes{"public.task_run", store};
  std::vector<EventRef> events;
  std::vector<Position> snapshots;

  void take(const RecordBatch& batch) {
    const RunChanges::Listener listener{
        [this](EventRef event) { events.push_back(std::move(event)); },
        [this](Position position) { snapshots.push_back(position); }};
    for (std::size_t i = 0; i < batch.size(); ++i) changes.take(batch[i], listener);
  }
  std::string frame(std::size_t event, std::string_view filter = "{}") const {
    return std::string(events[event]->frame_for(*RunFilter::parse(filter, TagsMatch::any)));
  }
};

}  // namespace

TEST_CASE("runs: a new run is an initial with its whole row", "[server]") {
  Fixture f;
  RunStream stream;
  stream.insert_at(0x10, {.id = "a", .tags = "{x,\"y z\"}"});
  f.take(stream.batch());
  REQUIRE(f.events.size() == 1);
  CHECK(f.frame(0) ==
        "id: 0000000000000010-00000000\nevent: initial\n"
        "data: {\"id\":\"a\",\"env_id\":\"e\",\"tags\":[\"x\",\"y z\"],\"status\":\"NEW\"}\n\n");
  CHECK(f.changes.position() == Position{0x10, 0});
  CHECK(f.changes.end_lsn() == 0x18);
}

TEST_CASE("runs: an update is a delta of the id and what changed", "[server]") {
  Fixture f;
  RunStream stream;
  stream.insert_at(0x10, {.id = "a"});
  stream.update_at(0x20, {.id = "a"}, {.id = "a", .status = "DONE"});
  f.take(stream.batch());
  REQUIRE(f.events.size() == 2);
  CHECK(
      f.frame(1) ==
      "id: 0000000000000020-00000000\nevent: delta\ndata: {\"id\":\"a\",\"status\":\"DONE\"}\n\n");
}

TEST_CASE("runs: a run that begins to match is an initial, one that stops a delta marked left",
          "[server]") {
  Fixture f;
  RunStream stream;
  stream.insert_at(0x10, {.id = "a", .tags = "{x}"});
  stream.update_at(0x20, {.id = "a", .tags = "{x}"}, {.id = "a", .tags = "{y}"});
  f.take(stream.batch());
  const std::string left = f.frame(1, R"({"tags":["x"]})");
  CHECK(left ==
        "id: 0000000000000020-00000000\nevent: delta\ndata: {\"id\":\"a\",\"left\":true}\n\n");
  CHECK(f.frame(1, R"({"tags":["y"]})").find("event: initial") != std::string::npos);
  CHECK(
      f.frame(1, R"({"run_id":"a"})").find("event: delta\ndata: {\"id\":\"a\",\"tags\":[\"y\"]}") !=
      std::string::npos);
  CHECK(f.frame(1, R"({"tags":["z"]})").empty());
}

TEST_CASE("runs: a deleted run is a last delta marked left and deleted", "[server]") {
  Fixture f;
  RunStream stream;
  stream.insert_at(0x10, {.id = "a"});
  stream.begin(0x20), stream.remove({.id = "a"}), stream.commit(0x20);
  f.take(stream.batch());
  REQUIRE(f.events.size() == 2);
  CHECK(f.frame(1).find("data: {\"id\":\"a\",\"left\":true,\"deleted\":true}") !=
        std::string::npos);
  CHECK(f.store.size() == 0);
}

TEST_CASE("runs: what was applied and is sent again is dropped, inside a transaction too",
          "[server]") {
  Fixture f;
  RunStream cut;
  cut.begin(0x10), cut.insert({.id = "a"}), cut.insert({.id = "b"});
  f.take(cut.batch());
  RunStream whole;
  whole.begin(0x10), whole.insert({.id = "a"}), whole.insert({.id = "b"}),
      whole.insert({.id = "c"});
  whole.commit(0x10);
  f.take(whole.batch());
  f.take(whole.batch());
  REQUIRE(f.events.size() == 3);
  CHECK(f.events[2]->position() == Position{0x10, 2});
  CHECK(f.store.size() == 3);
}

TEST_CASE("runs: truncate makes every run leave, resumable as a whole", "[server]") {
  Fixture f;
  RunStream stream;
  stream.insert_at(0x10, {.id = "a"});
  stream.insert_at(0x20, {.id = "b"});
  stream.begin(0x30), stream.truncate(), stream.commit(0x30);
  f.take(stream.batch());
  REQUIRE(f.events.size() == 4);
  // Both carry the id before the truncate: who saw only one of them is sent both again.
  for (std::size_t i : {2U, 3U}) {
    CHECK(f.frame(i).find("id: 0000000000000020-00000000\n") == 0);
    CHECK(f.frame(i).find("\"left\":true,\"deleted\":true") != std::string::npos);
    CHECK(f.events[i]->position() == Position{0x30, 0});
  }
  CHECK(f.store.size() == 0);
}

TEST_CASE("runs: a new primary key is the old run leaving and a new one", "[server]") {
  Fixture f;
  RunStream stream;
  stream.insert_at(0x10, {.id = "a"});
  stream.update_at(0x20, {.id = "a"}, {.id = "b"});
  f.take(stream.batch());
  REQUIRE(f.events.size() == 3);
  CHECK(f.frame(1, R"({"run_id":"a"})").find("\"left\":true") != std::string::npos);
  CHECK(f.frame(2, R"({"run_id":"b"})").find("event: initial") != std::string::npos);
  CHECK(f.frame(2, R"({"run_id":"a"})").empty());
  CHECK(f.store.size() == 1);
}

TEST_CASE("runs: a snapshot replaces the state and changes go on after it", "[server]") {
  Fixture f;
  RunStream stream;
  stream.insert_at(0x10, {.id = "old"});
  f.take(stream.batch());
  RecordBatch snapshot;
  std::string row("\x10\x40\0\0", 4);  // oid 16400
  row += "a\te\t{x}\tNEW";
  snapshot.append({RecordKind::snapshot_begin, false, 0, 0, "{}"});
  snapshot.append({RecordKind::snapshot_row, false, 0, 0, row});
  snapshot.append({RecordKind::snapshot_end, false, 0x100, 0, ""});
  f.take(snapshot);
  REQUIRE(f.snapshots.size() == 1);
  CHECK(f.snapshots[0] < Position{0x100, 0});
  CHECK(f.snapshots[0] > Position{0x10, 0});
  CHECK(f.store.size() == 1);
  RunStream after;
  after.update_at(0x100, {.id = "a", .tags = "{x}"}, {.id = "a", .tags = "{x}", .status = "DONE"});
  f.take(after.batch());
  CHECK(f.frame(1).find("delta\ndata: {\"id\":\"a\",\"status\":\"DONE\"}") != std::string::npos);
}

TEST_CASE("runs: damaged messages are counted and change nothing", "[server]") {
  Fixture f;
  RecordBatch batch;
  batch.append({RecordKind::wal, false, 0, 0, "I\x01"});
  batch.append({RecordKind::wal, false, 0, 0, ""});
  f.take(batch);
  CHECK(f.changes.damaged() == 2);
  CHECK(f.events.empty());
}

#include "server/catch_up.h"

#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/random.h"
#include "proto/sse_parser.h"
#include "server/run_changes.h"
#include "server/run_stream.h"

using namespace rt;
using namespace rt::server;
using rt::test::RunStream;

namespace {

// The hub's part that matters here: a store, a ring, and changes that reach both.
class World {
 public:
  explicit World(std::size_t ring_bytes = std::size_t{1} << 30) : ring_(ring_bytes) {}

  void put(const RunStream::Row& row) {
    RunStream stream;
    lsn_ += 8;
    const auto old = rows_.find(row.id);
    if (old == rows_.end()) {
      stream.insert_at(lsn_, row);
    } else {
      stream.update_at(lsn_, old->second, row);
    }
    rows_[row.id] = row;
    take(stream.batch());
  }
  void remove(const std::string& id) {
    RunStream stream;
    lsn_ += 8;
    stream.begin(lsn_), stream.remove(rows_.at(id)), stream.commit(lsn_);
    rows_.erase(id);
    take(stream.batch());
  }
  // A random insert, update (of status or tag) or delete among `ids` runs.
  void churn(Random& random, std::uint64_t ids, std::size_t padding) {
    const std::string id = "run" + std::to_string(random.below(ids));
    if (rows_.count(id) != 0 && random.below(4) == 0) {
      remove(id);
      return;
    }
    put({.id = id,
         .tags = random.below(3) == 0 ? "{other}" : "{mine}",
         .status = std::string(padding, 's') + std::to_string(++changes_made_)});
  }

  CatchUp anew(const std::shared_ptr<const RunFilter>& filter) {
    return CatchUp::from_rows(filter, store_.matching(*filter), changes_.position(),
                              ring_.end_serial());
  }
  CatchUp::Step next(CatchUp& catch_up, std::string& out) {
    return catch_up.next(out, store_, ring_, changes_.position());
  }
  const HistoryRing& ring() const { return ring_; }
  std::map<std::string, std::string> tagged(const std::string& tags) const {
    std::map<std::string, std::string> found;
    for (const auto& [id, row] : rows_) {
      if (row.tags == tags) found[id] = row.status;
    }
    return found;
  }

 private:
  void take(const RecordBatch& batch) {
    const RunChanges::Listener listener{[this](EventRef event) { ring_.push(std::move(event)); },
                                        [](Position) {}};
    for (std::size_t i = 0; i < batch.size(); ++i) changes_.take(batch[i], listener);
  }

  RunStore store_;
  HistoryRing ring_;
  RunChanges changes_{"task_run", store_};
  std::map<std::string, RunStream::Row> rows_;
  std::uint64_t lsn_ = 0x1000;
  int changes_made_ = 0;
};

std::shared_ptr<const RunFilter> filter_of(std::string_view json) {
  return std::make_shared<const RunFilter>(*RunFilter::parse(json, TagsMatch::any));
}

// A client: keeps the state that the frames tell it, and notices what must never happen.
struct Client {
  std::map<std::string, std::string> statuses;
  std::string last_id;
  std::vector<std::string> wrongs;
  sse::Parser parser;

  void on_event(const sse::EventView& event) {
    const auto json = nlohmann::json::parse(event.data);
    const std::string id = json["id"];
    if (event.event == "initial") {
      if (statuses.count(id) != 0) wrongs.push_back("second initial of " + id);
      statuses[id] = json["status"];
    } else if (statuses.count(id) == 0) {
      wrongs.push_back("delta of unknown " + id);
    } else if (json.contains("left")) {
      statuses.erase(id);
    } else if (json.contains("status")) {
      if (json["status"] == statuses[id]) wrongs.push_back("change of " + id + " seen twice");
      statuses[id] = json["status"];
    }
    if (std::string(event.id) < last_id) wrongs.push_back("ids go back");
    last_id = event.id;
  }
  void on_comment(std::string_view) {}
  void on_retry(std::chrono::milliseconds) {}
  void take(const std::string& frames) {
    parser.receive(frames, *this);
    last_id = parser.last_event_id();
  }
};

}  // namespace

TEST_CASE("catch-up: a small set is one chunk and its last id is a point to resume from",
          "[server]") {
  World world;
  world.put({.id = "a", .tags = "{mine}"});
  world.put({.id = "b", .tags = "{mine}"});
  world.put({.id = "c", .tags = "{other}"});
  CatchUp catch_up = world.anew(filter_of(R"({"tags":["mine"]})"));
  std::string out;
  REQUIRE(world.next(catch_up, out) == CatchUp::Step::live);
  Client client;
  client.take(out);
  CHECK(client.statuses.size() == 2);
  CHECK(client.last_id == "0000000000001018-00000000");
}

TEST_CASE("catch-up: nothing that matches is no frame", "[server]") {
  World world;
  CatchUp catch_up = world.anew(filter_of("{}"));
  std::string out;
  CHECK(world.next(catch_up, out) == CatchUp::Step::live);
  CHECK(out.empty());
}

TEST_CASE("catch-up: from an event come exactly the events after it", "[server]") {
  World world;
  world.put({.id = "a", .status = "1"});
  world.put({.id = "a", .status = "2"});
  world.put({.id = "a", .status = "3"});
  const Position seen = world.ring().at(1).position();
  CatchUp catch_up = CatchUp::from_event(filter_of("{}"), world.ring().serial_after(seen));
  std::string out;
  REQUIRE(world.next(catch_up, out) == CatchUp::Step::live);
  CHECK(out ==
        "id: 0000000000001018-00000000\nevent: delta\ndata: {\"id\":\"a\",\"status\":\"3\"}\n\n");
}

TEST_CASE("catch-up: a subscriber slower than the history is told so", "[server]") {
  World world(2'000);
  world.put({.id = "a"});
  CatchUp catch_up = CatchUp::from_event(filter_of("{}"), world.ring().end_serial());
  for (int i = 0; i < 50; ++i) world.put({.id = "a", .status = std::to_string(i)});
  std::string out;
  CHECK(world.next(catch_up, out) == CatchUp::Step::too_old);
}

TEST_CASE("catch-up: who follows one run is told what a look at all events would tell",
          "[server]") {
  Random random(7);
  World world(60'000);  // the oldest events of each run have left it
  for (int i = 0; i < 600; ++i) world.churn(random, 12, 100);
  REQUIRE(world.ring().first_serial() > 0);
  for (int run = 0; run < 13; ++run) {
    CAPTURE(run);
    const auto filter = filter_of(R"({"run_id":"run)" + std::to_string(run) + R"("})");
    for (std::uint64_t from = world.ring().first_serial(); from <= world.ring().end_serial();
         from += 7) {
      std::string expected;
      for (std::uint64_t serial = from; serial < world.ring().end_serial(); ++serial) {
        expected += world.ring().at(serial).frame_for(*filter);
      }
      CatchUp catch_up = CatchUp::from_event(filter, from);
      std::string out;
      REQUIRE(world.next(catch_up, out) == CatchUp::Step::live);
      REQUIRE(out == expected);
    }
  }
}

// Rows change, come and go between the chunks; the client may be cut off after any of them.
TEST_CASE("catch-up: whatever happens meanwhile, the client ends with the true state", "[server]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    World world;
    for (int i = 0; i < 150; ++i) world.churn(random, 120, 1500);
    const auto filter = filter_of(R"({"tags":["mine"]})");
    Client client;
    std::optional<CatchUp> catch_up = world.anew(filter);
    std::uint64_t live_from = 0;
    bool live = false;
    for (int turn = 0; turn < 60 || !live; ++turn) {
      if (!live) {
        std::string out;
        live = world.next(*catch_up, out) == CatchUp::Step::live;
        client.take(out);
        live_from = world.ring().end_serial();
      }
      if (turn < 60) {
        for (std::uint64_t i = random.below(12); i > 0; --i) world.churn(random, 120, 1500);
      }
      while (live && live_from < world.ring().end_serial()) {
        client.take(std::string(world.ring().at(live_from++).frame_for(*filter)));
      }
      if (turn < 60 && random.below(6) == 0) {  // cut off: resume from the last id
        const auto seen = Position::parse(client.last_id);
        if (seen && seen->lsn != 0) {
          catch_up = CatchUp::from_event(filter, world.ring().serial_after(*seen));
        } else {
          client = Client{};
          catch_up = world.anew(filter);
        }
        live = false;
      }
    }
    CHECK(client.wrongs == std::vector<std::string>{});
    CHECK(client.statuses == world.tagged("{mine}"));
  }
}

#include "pipe/archive_source.h"

#include "archive/bodies.h"
#include "archive/fixture.h"

using namespace rt;
using namespace rt::archive::testing;

namespace {

ArchiveSourceOptions at_speed(const std::string& path, double speed) {
  ArchiveSourceOptions options;
  options.path = path;
  options.pace.speed = speed;
  return options;
}

struct Taken {
  std::vector<RecordKind> kinds;
  std::vector<std::uint64_t> begins;  // commit LSNs
  std::size_t batches = 0;
  std::size_t cut_batches = 0;  // that do not end with a Commit
};

Taken play(ArchiveSourceOptions options, Result<void>* outcome = nullptr) {
  const SystemClock clock;
  ArchiveSource source(std::move(options), clock);
  Taken taken;
  const auto ran = source.run({}, [&](RecordBatch& batch) -> Result<void> {
    ++taken.batches;
    const std::string_view last = batch[batch.size() - 1].body;
    if (last.empty() || last.front() != 'C') ++taken.cut_batches;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (batch[i].prelude) continue;
      taken.kinds.push_back(batch[i].kind);
      const std::string_view body = batch[i].body;
      if (!body.empty() && body.front() == 'B') {
        archive::StreamTracker tracker;
        tracker.take(batch[i]);
        taken.begins.push_back(tracker.position().lsn);
      }
    }
    return {};
  });
  if (outcome != nullptr)
    *outcome = ran;
  else
    REQUIRE(ran);
  return taken;
}

void record(const std::string& path, int transactions) {
  const ManualClock clock;
  auto writer = archive::Writer::create(path, origin(), moment(clock)).value();
  write_transactions(writer, 0, transactions, 2, clock.now());
  REQUIRE(writer.close(clock.now()));
}

}  // namespace

TEST_CASE("archive source: at full speed all comes in few batches", "[pipe]") {
  const Scratch scratch;
  record(scratch / "a.rtr", 100);
  const Taken taken = play(at_speed(scratch / "a.rtr", kMaxSpeed));
  CHECK(taken.begins.size() == 100);
  CHECK(taken.batches <= 3);
}

TEST_CASE("archive source: when paced, batches are whole transactions as they fall due", "[pipe]") {
  const Scratch scratch;
  record(scratch / "a.rtr", 10);  // 10 ms apart; at 2x 5 ms
  const Taken taken = play(at_speed(scratch / "a.rtr", 2));
  CHECK(taken.begins.size() == 10);
  // What is overdue goes together, so that a stalled machine makes fewer batches; never a cut one.
  CHECK(taken.batches >= 2);
  CHECK(taken.batches <= 11);
  CHECK(taken.cut_batches == 0);
}

TEST_CASE(
    "archive source: what precedes the first event is handed over unpaced, before the callback",
    "[pipe]") {
  const Scratch scratch;
  const ManualClock clock;
  for (const bool snapshot : {true, false}) {
    const std::string path = scratch / (snapshot ? "with.rtr" : "without.rtr");
    {
      auto writer = archive::Writer::create(path, origin(), moment(clock)).value();
      if (snapshot) {
        for (const RecordKind kind : {RecordKind::snapshot_begin, RecordKind::snapshot_end}) {
          REQUIRE(writer.append({kind, false, 0xF80, kStart, "{}"}, clock.now()));
        }
      }
      write_transactions(writer, 0, 1, 1, clock.now());
      REQUIRE(writer.close(clock.now()));
    }
    std::size_t kinds_at_callback = 99;
    const SystemClock time;
    ArchiveSourceOptions options;
    options.path = path;
    options.complete_state = true;
    std::vector<RecordKind> kinds;
    std::vector<std::uint64_t> lsns;
    options.before_first_event = [&](const std::stop_token&) { kinds_at_callback = kinds.size(); };
    ArchiveSource source(options, time);
    REQUIRE(source.run({}, [&](RecordBatch& batch) -> Result<void> {
      for (std::size_t i = 0; i < batch.size(); ++i) {
        if (batch[i].prelude) continue;
        kinds.push_back(batch[i].kind);
        lsns.push_back(batch[i].lsn);
      }
      return {};
    }));
    CHECK(kinds_at_callback == 2);
    REQUIRE(kinds.size() > 2);
    CHECK(kinds[0] == RecordKind::snapshot_begin);
    CHECK(kinds[1] == RecordKind::snapshot_end);
    CHECK(lsns[1] == (snapshot ? 0xF80 : commit_lsn(0)));  // an empty one if there was none
    CHECK(kinds[2] == RecordKind::wal);
    CHECK(source.pacer().lateness().max() < std::chrono::seconds(10));
  }
}

TEST_CASE("archive source: bounds are ids, LSNs or times", "[pipe]") {
  CHECK(std::get<Position>(ArchiveBound::parse("000000014D7E3B28-00000002")->at) ==
        Position{0x14D7E3B28, 2});
  CHECK(std::get<Position>(ArchiveBound::parse("1/4D7E3B28")->at) == Position{0x14D7E3B28, 0});
  CHECK(std::holds_alternative<WallTime>(ArchiveBound::parse("2026-03-29T00:30:00Z")->at));
  CHECK(ArchiveBound::parse("now").error().code == Code::usage);
}

TEST_CASE("archive source: damage ends it after everything before was taken", "[pipe]") {
  const Scratch scratch;
  record(scratch / "a.rtr", 3);
  const std::string bytes = read_file(scratch / "a.rtr");
  write_file(scratch / "cut.rtr", std::string_view(bytes).substr(0, 300));
  Result<void> outcome;
  play(at_speed(scratch / "cut.rtr", kMaxSpeed), &outcome);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == Code::integrity);
}

TEST_CASE("archive source: a stop request ends a long pause", "[pipe]") {
  const Scratch scratch;
  const ManualClock clock;
  {
    auto writer = archive::Writer::create(scratch / "a.rtr", origin(), moment(clock)).value();
    for (const std::int64_t at : {kStart, kStart + 3'600'000'000}) {
      REQUIRE(writer.append({RecordKind::mark, false, 0, at, "m"}, clock.now()));
    }
    REQUIRE(writer.close(clock.now()));
  }
  const SystemClock time;
  ArchiveSource source(at_speed(scratch / "a.rtr", 1), time);
  std::stop_source stop;
  std::size_t records = 0;
  REQUIRE(source.run(stop.get_token(), [&](RecordBatch& batch) -> Result<void> {
    records += batch.size();
    stop.request_stop();
    return {};
  }));
  CHECK(records == 1);
}

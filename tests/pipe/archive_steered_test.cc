// ArchiveSource on a clock that stands still until it is told to wait: the schedule to the
// nanosecond, and what steering, breaks, late events and rounds do to it.
#include <algorithm>

#include "archive/bodies.h"
#include "archive/fixture.h"
#include "pipe/archive_source.h"

using namespace rt;
using namespace rt::archive::testing;
using namespace std::chrono_literals;

namespace {

using Kind = PlayCommand::Kind;

void record(const std::string& path, int transactions, int rows = 2) {
  const ManualClock clock;
  auto writer = archive::Writer::create(path, origin(), moment(clock)).value();
  write_transactions(writer, 0, transactions, rows, clock.now());
  REQUIRE(writer.close(clock.now()));
}

struct Play {
  const Scratch scratch;
  ManualClock clock;
  PlayControl control;
  ArchiveSourceOptions options;
  std::vector<std::uint64_t> commits;  // commit LSNs, as they were handed over
  std::vector<std::int64_t> times;     // .. their commit times, Unix us
  std::vector<Duration> at;            // .. and when, since the start
  std::size_t rows = 0;
  std::function<void(std::size_t commits)> taken;
  std::optional<ArchiveSource> source;

  explicit Play(int transactions) {
    record(scratch / "a.rtr", transactions);
    options.path = scratch / "a.rtr";
    options.wait = [this](Instant due) {
      if (due > clock.now()) clock.advance(due - clock.now());
    };
  }
  void steer() { options.control = &control; }
  void ask(Kind kind) { control.ask({kind, clock.now(), {}}); }
  void go_to(int transaction) {
    control.ask(
        {Kind::seek, clock.now(), ArchiveBound{Position{commit_lsn(transaction), 0}, true}});
  }
  void run() {
    const Instant start = clock.now();
    source.emplace(options, clock);
    archive::StreamTracker tracker;
    REQUIRE(source->run({}, [&](RecordBatch& batch) -> Result<void> {
      for (std::size_t i = 0; i < batch.size(); ++i) {
        tracker.take(batch[i]);
        if (batch[i].prelude) continue;
        const char letter = archive::wal_letter(batch[i].body);
        if (letter == 'I') ++rows;
        if (letter != 'C') continue;
        commits.push_back(tracker.last_commit_lsn());
        times.push_back(tracker.commit_time_us());
        at.push_back(clock.now() - start);
      }
      if (taken) taken(commits.size());
      return {};
    }));
  }
};

}  // namespace

TEST_CASE("archive source: the schedule is kept to the end, at any speed", "[pipe]") {
  for (const double speed : {1.0, 4.0, 0.5}) {
    Play play(100);  // 10 ms apart
    play.options.pace.speed = speed;
    play.run();
    REQUIRE(play.at.size() == 100);
    for (std::size_t i = 0; i < 100; ++i) {
      const auto due = Duration(static_cast<std::int64_t>(static_cast<double>(i) * 1e7 / speed));
      CHECK(play.at[i] == due);
    }
    CHECK(play.source->pacer().lateness().count() == 100);
    CHECK(play.source->pacer().lateness().max() == 0ns);
  }
}

TEST_CASE("archive source: what is late is sent at once, counted, and delays nothing behind it",
          "[pipe]") {
  Play play(100);
  play.taken = [&](std::size_t commits) {
    if (commits == 50) play.clock.advance(25ms);  // the target was slow
  };
  play.run();
  REQUIRE(play.at.size() == 100);
  CHECK(play.at[50] == 49 * 10ms + 25ms);  // .. of 500 ms
  CHECK(play.at[51] == play.at[50]);
  CHECK(play.at[52] == 520ms);
  CHECK(play.at[99] == 990ms);
  CHECK(play.source->pacer().lateness().max() == 15ms);
}

TEST_CASE("archive source: late transactions can be left out, or move the schedule", "[pipe]") {
  Play skipped(100);
  skipped.options.late = LatePolicy::skip;
  skipped.options.late_max = 10ms;
  skipped.taken = [&](std::size_t commits) {
    if (commits == 50) skipped.clock.advance(45ms);
  };
  skipped.run();
  CHECK(skipped.commits.size() == 97);  // due 35, 25 and 15 ms ago
  CHECK(skipped.rows == 2 * 97);
  CHECK(skipped.source->progress().late_skipped == 3);
  CHECK(skipped.at.back() == 990ms);
  Play stretched(100);
  stretched.options.late = LatePolicy::stretch;
  stretched.taken = [&](std::size_t commits) {
    if (commits == 50) stretched.clock.advance(45ms);
  };
  stretched.run();
  REQUIRE(stretched.at.size() == 100);
  CHECK(stretched.at.back() == 990ms + 35ms);
  CHECK(stretched.source->stretched() == 35ms);
}

TEST_CASE("archive source: steps play one transaction each, a quit ends between two", "[pipe]") {
  Play play(10);
  play.steer();
  for (const Kind kind : {Kind::pause, Kind::step, Kind::step, Kind::step, Kind::quit}) {
    play.ask(kind);
  }
  play.run();
  CHECK(play.commits.size() == 3);
  CHECK(play.at.back() == 0ns);
}

TEST_CASE("archive source: a step of one row ends inside its transaction", "[pipe]") {
  Play play(10);
  play.steer();
  for (const Kind kind : {Kind::pause, Kind::step_row, Kind::step_row, Kind::step_row}) {
    play.ask(kind);
  }
  play.ask(Kind::quit);
  play.run();
  CHECK(play.rows == 3);
  CHECK(play.commits.size() == 1);
}

TEST_CASE("archive source: a seek skips, or hurries where the target keeps state", "[pipe]") {
  for (const bool keeps_state : {true, false}) {
    Play play(100);
    play.steer();
    play.options.target_keeps_state = keeps_state;
    play.go_to(90);
    play.run();
    CHECK(play.commits.size() == (keeps_state ? 100 : 10));
    CHECK(play.commits.back() == commit_lsn(99));
    CHECK(play.at.back() == 90ms);
    CHECK(play.source->pacer().lateness().max() == 0ns);
  }
}

TEST_CASE("archive source: another speed holds from the key on", "[pipe]") {
  Play play(101);
  play.steer();
  play.taken = [&](std::size_t commits) {
    if (commits == 51) play.ask(Kind::faster);
  };
  play.run();
  REQUIRE(play.at.size() == 101);
  CHECK(play.at[50] == 500ms);
  CHECK(play.at[100] == 750ms);
}

TEST_CASE("archive source: a break ends before its place if nobody steers, else it pauses",
          "[pipe]") {
  Play play(10);
  play.options.breaks = {ArchiveBound{Position{commit_lsn(4), 1}, false}};
  play.run();
  CHECK(play.commits.size() == 4);
  CHECK(play.source->broke_at() == Position{commit_lsn(4), 0});
  Play steered(10);
  steered.options.breaks = play.options.breaks;
  steered.steer();
  steered.taken = [&](std::size_t commits) {
    if (commits == 4) steered.ask(Kind::normal_speed);  // so that it does not wait for ever
    if (commits == 4) steered.ask(Kind::quit);
  };
  steered.run();
  CHECK(steered.commits.size() == 4);
  CHECK_FALSE(steered.source->broke_at());
  CHECK(steered.control.take_said() ==
        std::vector<std::string>{"break before " + Position{commit_lsn(4), 0}.text()});
}

TEST_CASE("archive source: a row breaks before its transaction, or ends behind it", "[pipe]") {
  const auto row = [](const RecordView& record) {
    return record.body.find("6.1 ") != std::string_view::npos;  // the second row of the seventh
  };
  Play before(10);
  before.options.break_row = row;
  before.run();
  CHECK(before.commits.size() == 6);
  Play behind(10);
  behind.options.last_row = row;
  behind.run();
  CHECK(behind.commits.size() == 7);
}

TEST_CASE("archive source: each round has ids and times of its own, which rise", "[pipe]") {
  Play play(5);
  play.options.loops = 3;
  play.run();
  REQUIRE(play.commits.size() == 15);
  CHECK(std::is_sorted(play.commits.begin(), play.commits.end(), std::less_equal<>()));
  CHECK(std::is_sorted(play.times.begin(), play.times.end()));
  // Higher by the recording's end, later by its span.
  CHECK(play.commits[5] == commit_lsn(0) + end_lsn(4));
  CHECK(play.commits[14] == commit_lsn(4) + 2 * end_lsn(4));
  CHECK(play.times[5] == commit_time(0) + 40'000);
  CHECK(play.at.back() == 3 * 40ms);
}

TEST_CASE("archive source: what an earlier play took is found again in its round", "[pipe]") {
  Play play(5);
  play.options.loops = 3;
  play.options.resume = Position{commit_lsn(3) + end_lsn(4), 0};
  play.run();
  // The one that is named comes again: whoever took it knows.
  REQUIRE(play.commits.size() == 2 + 5);
  CHECK(play.commits.front() == commit_lsn(3) + end_lsn(4));
  CHECK(play.commits.back() == commit_lsn(4) + 2 * end_lsn(4));
  Play at_end(5);
  at_end.options.loops = 2;
  at_end.options.resume = Position{commit_lsn(4), 0};
  at_end.run();
  CHECK(at_end.commits.size() == 1 + 5);
}

#include "archive/fixture.h"

using namespace rt;
using namespace rt::archive;
using namespace rt::archive::testing;

TEST_CASE("archive: a directory rotates at transaction boundaries only", "[archive]") {
  const Scratch scratch;
  ManualClock clock;
  WriterOptions options;
  options.block_raw_bytes = 2000;
  options.rotate_bytes = 3000;
  Writer writer = Writer::create(scratch / "rec", origin(), moment(clock), options).value();
  write_transactions(writer, 0, 2, 200, clock.now());
  write_transactions(writer, 2, 60, 5, clock.now());
  REQUIRE(writer.close(clock.now()));
  const auto paths = segment_paths(scratch / "rec").value();
  REQUIRE(paths.size() > 2);
  Reader reader = Reader::open(scratch / "rec").value();
  CHECK(reader.segment_count() == paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const SegmentScan& scan = reader.segment(i);
    CHECK(scan.header.number == i + 1);
    REQUIRE(scan.last);
    CHECK((scan.last->flags & kEndsInTransaction) == 0);
    CHECK(scan.footer);
    // A segment's name is a lower bound of its commit LSNs.
    const auto name = std::filesystem::path(paths[i]).filename().string();
    CHECK(std::stoull(name.substr(0, 16), nullptr, 16) <= scan.blocks.back().last_commit_lsn);
    if (i > 0) CHECK(scan.header.chain_in == reader.segment(i - 1).last->chain);
  }
  const Seen seen = read_all(reader);
  CHECK(seen.error.empty());
  CHECK(seen.rows.size() == 2 * 200 + 58 * 5);
  for (std::size_t r = 0; r < seen.rows.size(); r += 11) {
    REQUIRE(reader.seek(seen.rows[r]).value());
    CHECK(read_all(reader).rows.size() == seen.rows.size() - r);
  }
}

TEST_CASE("archive: a directory rotates with age", "[archive]") {
  const Scratch scratch;
  ManualClock clock;
  Writer writer = Writer::create(scratch / "rec", origin(), moment(clock)).value();
  write_transactions(writer, 0, 1, 1, clock.now());
  clock.advance(std::chrono::hours(1));
  write_transactions(writer, 1, 2, 1, clock.now());
  REQUIRE(writer.close(clock.now()));
  CHECK(segment_paths(scratch / "rec").value().size() == 2);
}

TEST_CASE("archive: a missing segment is damage, not silence", "[archive]") {
  const Scratch scratch;
  ManualClock clock;
  WriterOptions options;
  options.block_raw_bytes = 500;
  options.rotate_bytes = 1000;
  Writer writer = Writer::create(scratch / "rec", origin(), moment(clock), options).value();
  write_transactions(writer, 0, 60, 2, clock.now());
  REQUIRE(writer.close(clock.now()));
  const auto paths = segment_paths(scratch / "rec").value();
  REQUIRE(paths.size() > 3);
  std::filesystem::remove(paths[1]);
  Reader reader = Reader::open(scratch / "rec").value();
  CHECK_THAT(read_all(reader).error, Catch::Contains("segment 2 is missing"));
  ReadOptions salvage;
  salvage.on_damage = OnDamage::salvage;
  Reader forgiving = Reader::open(scratch / "rec", salvage).value();
  const Seen seen = read_all(forgiving);
  CHECK(seen.error.empty());
  CHECK(seen.gaps == 1);
  CHECK(seen.commits.back() == commit_lsn(59));
}

TEST_CASE("archive: a recording is continued where it ended", "[archive]") {
  const Scratch scratch;
  ManualClock clock;
  for (const bool closed : {true, false}) {
    for (const char* name : {"file.rtr", "directory"}) {
      const std::string path = scratch / fmt::format("{}-{}", closed, name);
      CHECK_FALSE(Writer::exists(path));
      {
        Writer writer = Writer::create(path, origin(), moment(clock)).value();
        write_transactions(writer, 0, 10, 2, clock.now());
        REQUIRE(writer.append(wal(begin(commit_lsn(10), commit_time(10), 9), 1, 1), clock.now()));
        REQUIRE(writer.append(wal(insert(7, "half"), 1, 1), clock.now()));
        REQUIRE((closed ? writer.close(clock.now()) : writer.sync(clock.now())).has_value());
      }
      CHECK(Writer::exists(path));
      {
        Writer writer = Writer::open(path, moment(clock)).value();
        CHECK(writer.durable_end_lsn() == end_lsn(9));
        CHECK(writer.recovered().torn_bytes == 0);
        write_transactions(writer, 10, 20, 2, clock.now());
        REQUIRE(writer.close(clock.now()));
      }
      Reader reader = Reader::open(path).value();
      const Seen seen = read_all(reader);
      CHECK(seen.error.empty());
      CHECK(seen.abandons == 1);
      CHECK(seen.commits.size() == 20);
      const SegmentScan& scan = reader.segment(0);
      REQUIRE(scan.tables);
      CHECK(scan.tables->complete == closed);  // after a crash the first blocks are not counted
      if (closed) CHECK(scan.tables->relations.at(7).inserts == 41);
      CHECK(scan.tables->relations.at(7).name == "public.orders");
    }
  }
}

TEST_CASE("archive: a reader follows a recording that grows, closes, goes on and rotates",
          "[archive]") {
  const Scratch scratch;
  ManualClock clock;
  WriterOptions options;
  options.rotate_bytes = 2500;
  Writer writer = Writer::create(scratch / "rec", origin(), moment(clock), options).value();
  ReadOptions live;
  live.live = true;
  live.committed_only = true;
  Reader reader = Reader::open(scratch / "rec", live).value();
  std::size_t rows = 0;
  const auto follow = [&] {
    REQUIRE(reader.refresh());
    const Seen seen = read_all(reader);
    REQUIRE(seen.error.empty());
    rows += seen.rows.size();
    return rows;
  };
  CHECK(follow() == 0);
  write_transactions(writer, 0, 3, 2, clock.now());
  CHECK(follow() == 0);  // not written yet
  REQUIRE(writer.sync(clock.now()));
  CHECK(follow() == 6);
  CHECK_FALSE(reader.refresh().value());
  // An open transaction is not handed out before its Commit is there.
  REQUIRE(writer.append(wal(begin(commit_lsn(3), commit_time(3), 9), 1, 1), clock.now()));
  REQUIRE(writer.append(wal(insert(7, "x"), 1, 1), clock.now()));
  REQUIRE(writer.sync(clock.now()));
  CHECK(follow() == 6);
  REQUIRE(writer.append(wal(insert(7, "y"), 1, 1), clock.now()));
  REQUIRE(writer.sync(clock.now()));
  CHECK(follow() == 6);
  REQUIRE(writer.append(wal(commit(commit_lsn(3), end_lsn(3), commit_time(3)), 1, 1), clock.now()));
  REQUIRE(writer.sync(clock.now()));
  CHECK(follow() == 8);
  REQUIRE(writer.close(clock.now()));
  CHECK(follow() == 8);
  writer = Writer::open(scratch / "rec", moment(clock), options).value();
  write_transactions(writer, 4, 100, 2, clock.now());
  REQUIRE(writer.sync(clock.now()));
  write_transactions(writer, 100, 110, 2, clock.now());
  REQUIRE(writer.sync(clock.now()));
  CHECK(segment_paths(scratch / "rec").value().size() > 1);
  CHECK(follow() == 8 + 106 * 2);
}

#include "archive/fixture.h"

using namespace rt;
using namespace rt::archive;
using namespace rt::archive::testing;

namespace {

// 40 transactions; the fifth has 200 rows and spans many blocks.
void record(const std::string& path, const ManualClock& clock) {
  WriterOptions options;
  options.block_raw_bytes = 700;
  Writer writer = Writer::create(path, origin(), moment(clock), options).value();
  write_transactions(writer, 0, 4, 3, clock.now());
  write_transactions(writer, 4, 5, 200, clock.now());
  write_transactions(writer, 5, 40, 3, clock.now());
  REQUIRE(writer.close(clock.now()));
}

// The first record that is news after a seek, and whether a Begin stands before it.
struct Landing {
  Position position;
  char letter = 0;
  bool inside = false;  // its Begin came as prelude
  bool schema = false;  // so did the relation
};
Landing land(Reader& reader) {
  Landing landing;
  Entry entry;
  while (reader.next(entry).value()) {
    const char letter = entry.record.body.front();
    if (!entry.record.prelude) {
      landing.position = entry.position;
      landing.letter = letter;
      return landing;
    }
    if (letter == 'B') landing.inside = true;
    if (letter == 'R') landing.schema = true;
  }
  return landing;
}

}  // namespace

TEST_CASE("archive: a seek lands on the first record at or after a position", "[archive]") {
  const Scratch scratch;
  const ManualClock clock;
  record(scratch / "a.rtr", clock);
  for (const bool use_index : {true, false}) {
    ReadOptions options;
    options.use_index = use_index;
    Reader reader = Reader::open(scratch / "a.rtr", options).value();
    for (int t = 0; t < 40; ++t) {
      const int rows = t == 4 ? 200 : 3;
      for (int r = 0; r < rows; ++r) {
        REQUIRE(reader.seek({commit_lsn(t), static_cast<std::uint32_t>(r)}).value());
        const Landing at = land(reader);
        CHECK(at.position == Position{commit_lsn(t), static_cast<std::uint32_t>(r)});
        CHECK(at.letter == (r == 0 ? 'B' : 'I'));
        CHECK(at.inside == (r != 0));
        if (r != 0) CHECK(at.schema);
      }
      // After the last row comes the Commit; between two transactions, the next Begin.
      REQUIRE(reader.seek({commit_lsn(t), static_cast<std::uint32_t>(rows)}).value());
      const Landing commit = land(reader);
      CHECK(commit.letter == 'C');
      CHECK(commit.inside);
      const bool more = reader.seek({commit_lsn(t) + 1, 0}).value();
      CHECK(more == (t != 39));
      if (more) CHECK(land(reader).position == Position{commit_lsn(t + 1), 0});
    }
    CHECK(reader.seek(Position{0, 0}).value());
    CHECK(land(reader).position == Position{commit_lsn(0), 0});
  }
}

TEST_CASE("archive: after a seek everything that follows is read, nothing twice", "[archive]") {
  const Scratch scratch;
  const ManualClock clock;
  record(scratch / "a.rtr", clock);
  Reader reader = Reader::open(scratch / "a.rtr").value();
  const Seen all = read_all(reader);
  REQUIRE(all.rows.size() == 39 * 3 + 200);
  for (std::size_t from = 0; from < all.rows.size(); from += 7) {
    REQUIRE(reader.seek(all.rows[from]).value());
    const Seen rest = read_all(reader);
    CHECK(std::equal(rest.rows.begin(), rest.rows.end(), all.rows.begin() + static_cast<long>(from),
                     all.rows.end()));
  }
  REQUIRE(reader.rewind());
  CHECK(read_all(reader).rows == all.rows);
}

TEST_CASE("archive: a seek by time lands on the first transaction at or after it", "[archive]") {
  const Scratch scratch;
  const ManualClock clock;
  record(scratch / "a.rtr", clock);
  Reader reader = Reader::open(scratch / "a.rtr").value();
  for (int t = 0; t < 40; ++t) {
    for (const int before_us : {0, 1, 9'999}) {
      REQUIRE(reader.seek(from_unix_us(commit_time(t) - before_us)).value());
      const Landing at = land(reader);
      CHECK(at.letter == 'B');
      CHECK(at.position == Position{commit_lsn(t), 0});
    }
  }
  CHECK_FALSE(reader.seek(from_unix_us(commit_time(39) + 1)).value());
}

TEST_CASE("archive: commit times that go backwards do not confuse a seek by time", "[archive]") {
  const Scratch scratch;
  const ManualClock clock;
  WriterOptions options;
  options.block_raw_bytes = 1;
  Writer writer = Writer::create(scratch / "a.rtr", origin(), moment(clock), options).value();
  const std::int64_t times[] = {100, 300, 200, 400};  // commit order differs from commit time
  for (int t = 0; t < 4; ++t) {
    REQUIRE(writer.append(wal(begin(commit_lsn(t), times[t], 1), 1, 1), clock.now()));
    REQUIRE(writer.append(wal(commit(commit_lsn(t), end_lsn(t), times[t]), 1, 1), clock.now()));
  }
  REQUIRE(writer.close(clock.now()));
  Reader reader = Reader::open(scratch / "a.rtr").value();
  REQUIRE(reader.seek(from_unix_us(250)).value());
  CHECK(land(reader).position.lsn == commit_lsn(1));
  REQUIRE(reader.seek(from_unix_us(301)).value());
  CHECK(land(reader).position.lsn == commit_lsn(3));
  REQUIRE(reader.rewind());
  Entry entry;
  std::int64_t before = 0;
  while (reader.next(entry).value()) {
    CHECK(entry.t_hi >= before);
    before = entry.t_hi;
  }
}

TEST_CASE("archive: a transaction that was cut off and sent again is found in its last form",
          "[archive]") {
  const Scratch scratch;
  const ManualClock clock;
  for (const std::size_t block_bytes : {1u, 300u, 100'000u}) {
    const std::string path = scratch / fmt::format("{}.rtr", block_bytes);
    WriterOptions options;
    options.block_raw_bytes = block_bytes;
    Writer writer = Writer::create(path, origin(), moment(clock), options).value();
    write_transactions(writer, 0, 2, 2, clock.now());
    REQUIRE(writer.append(wal(begin(commit_lsn(2), commit_time(2), 9), 1, 1), clock.now()));
    for (int r = 0; r < 5; ++r) {
      REQUIRE(writer.append(wal(insert(7, "cut off, and of some length"), 1, 1), clock.now()));
    }
    REQUIRE(writer.abandon(clock.now(), 1));
    REQUIRE(writer.abandon(clock.now(), 1));  // nothing is open any more: no effect
    write_transactions(writer, 2, 6, 8, clock.now());
    REQUIRE(writer.close(clock.now()));

    ReadOptions committed;
    committed.committed_only = true;
    Reader reader = Reader::open(path, committed).value();
    const Seen seen = read_all(reader);
    CHECK(seen.abandons == 0);
    CHECK(seen.rows.size() == 2 * 2 + 4 * 8);
    CHECK(std::is_sorted(seen.rows.begin(), seen.rows.end()));
    for (std::uint32_t r = 0; r < 8; ++r) {
      REQUIRE(reader.seek({commit_lsn(2), r}).value());
      const Seen rest = read_all(reader);
      REQUIRE_FALSE(rest.values.empty());
      CHECK(rest.values.front().substr(0, 3) == fmt::format("2.{}", r));
    }
    Reader everything = Reader::open(path).value();
    const Seen raw = read_all(everything);
    CHECK(raw.abandons == 1);
    CHECK(raw.rows.size() == seen.rows.size() + 5);
  }
}

TEST_CASE("archive: a truncate of several tables takes an index for each", "[archive]") {
  const Scratch scratch;
  const ManualClock clock;
  Writer writer = Writer::create(scratch / "a.rtr", origin(), moment(clock)).value();
  std::string truncate = "T";
  put(truncate, std::uint32_t{3});
  truncate += '\0';
  for (const std::uint32_t oid : {7u, 8u, 9u}) put(truncate, oid);
  for (const std::string& body : {begin(commit_lsn(0), kStart, 1), insert(7, "a"), truncate,
                                  insert(7, "b"), commit(commit_lsn(0), end_lsn(0), kStart)}) {
    REQUIRE(writer.append(wal(body, 1, 1), clock.now()));
  }
  REQUIRE(writer.close(clock.now()));
  Reader reader = Reader::open(scratch / "a.rtr").value();
  CHECK(reader.block(0).rows == 5);
  CHECK(read_all(reader).rows == std::vector<Position>{{commit_lsn(0), 0}, {commit_lsn(0), 4}});
  // Resuming inside it gives it again: two of its tables have not been seen.
  REQUIRE(reader.seek(Position{commit_lsn(0), 2}).value());
  const Landing at = land(reader);
  CHECK(at.letter == 'T');
  CHECK(at.position == Position{commit_lsn(0), 1});
  REQUIRE(reader.seek(Position{commit_lsn(0), 4}).value());
  CHECK(land(reader).letter == 'I');
}

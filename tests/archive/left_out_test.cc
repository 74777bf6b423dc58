// Row changes that a filter took away are counted, so that the others keep their positions.
#include "archive/bodies.h"
#include "archive/fixture.h"

using namespace rt;
using namespace rt::archive;
using namespace rt::archive::testing;

namespace {

std::string left_out(std::uint32_t changes) {
  std::string body;
  encode(body, LeftOutBody{changes});
  return body;
}

// One transaction: row 0, three left out, row 4, and 0x10000 left out before the last.
void write_filtered(const std::string& path, std::size_t block_bytes) {
  const ManualClock clock;
  WriterOptions options;
  options.block_raw_bytes = block_bytes;
  Writer writer = Writer::create(path, origin(), moment(clock), options).value();
  const auto add = [&](RecordKind kind, const std::string& body) {
    REQUIRE(writer.append({kind, false, 0, kStart, body}, clock.now()));
  };
  add(RecordKind::wal, begin(commit_lsn(0), commit_time(0), 7));
  add(RecordKind::wal, relation(7, "orders"));
  add(RecordKind::wal, insert(7, "a"));
  add(RecordKind::left_out, left_out(3));
  add(RecordKind::wal, insert(7, "b"));
  add(RecordKind::left_out, left_out(0x10000));
  add(RecordKind::wal, insert(7, "c"));
  add(RecordKind::wal, commit(commit_lsn(0), end_lsn(0), commit_time(0)));
  REQUIRE(writer.close(clock.now()));
}

}  // namespace

TEST_CASE("left out: rows keep their positions, across blocks and after a seek", "[archive]") {
  const Scratch scratch;
  for (const std::size_t block_bytes : {std::size_t{1}, std::size_t{4096}}) {
    const std::string path = scratch / (std::to_string(block_bytes) + ".rtr");
    write_filtered(path, block_bytes);
    Reader reader = Reader::open(path).value();
    const std::uint64_t lsn = commit_lsn(0);
    const Seen all = read_all(reader);
    CHECK(all.rows == std::vector<Position>{{lsn, 0}, {lsn, 4}, {lsn, 0x10005}});
    for (const auto& [sought, first] : {std::pair<std::uint32_t, std::uint32_t>{1, 4},
                                        {4, 4},
                                        {5, 0x10005},
                                        {0x10005, 0x10005}}) {
      INFO("seek to " << sought << " in blocks of " << block_bytes);
      REQUIRE(reader.seek(Position{lsn, sought}).value());
      const Seen seen = read_all(reader);
      REQUIRE_FALSE(seen.rows.empty());
      CHECK(seen.rows.front() == Position{lsn, first});
    }
  }
}

TEST_CASE("left out: a malformed count counts nothing", "[archive]") {
  CHECK(decode_left_out(left_out(5))->changes == 5);
  CHECK(decode_left_out(left_out(0xFFFFFFFF))->changes == 0xFFFFFFFF);
  CHECK_FALSE(decode_left_out(""));
  CHECK_FALSE(decode_left_out("\x80"));
  CHECK_FALSE(decode_left_out("\xFF\xFF\xFF\xFF\xFF\x01"));
}

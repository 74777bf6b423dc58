#include <rapidcheck/catch.h>

#include <cstdlib>

#include "archive/bodies.h"
#include "archive/fixture.h"
#include "archive/wire.h"

using namespace rt;
using namespace rt::archive;
using namespace rt::archive::testing;

TEST_CASE("archive: what is written is what is read, with positions", "[archive]") {
  const Scratch scratch;
  ManualClock clock;
  {
    Writer writer = Writer::create(scratch / "a.rtr", origin(), moment(clock)).value();
    write_transactions(writer, 0, 3, 2, clock.now());
    REQUIRE(writer.close(clock.now()));
  }
  Reader reader = Reader::open(scratch / "a.rtr").value();
  CHECK(reader.header().origin.system_identifier == origin().system_identifier);
  CHECK(reader.header().origin.notes_json == origin().notes_json);
  CHECK(reader.end_lsn() == end_lsn(2));
  const Seen seen = read_all(reader);
  CHECK(seen.error.empty());
  CHECK(seen.rows == std::vector<Position>{{commit_lsn(0), 0},
                                           {commit_lsn(0), 1},
                                           {commit_lsn(1), 0},
                                           {commit_lsn(1), 1},
                                           {commit_lsn(2), 0},
                                           {commit_lsn(2), 1}});
  CHECK(seen.values[3].substr(0, 3) == "1.1");
  CHECK(seen.commits == std::vector<std::uint64_t>{commit_lsn(0), commit_lsn(1), commit_lsn(2)});
}

TEST_CASE("archive: any records come back equal, through any block size", "[archive]") {
  rc::prop("round trip", [] {
    const Scratch scratch;
    ManualClock clock;
    WriterOptions options;
    options.block_raw_bytes = *rc::gen::inRange<std::size_t>(1, 3000);
    struct Given {
      RecordKind kind;
      std::uint64_t lsn;
      std::int64_t received_us;
      std::string body;
    };
    const std::string kinds = "wbscknGerhRmS";
    std::vector<Given> given;
    const auto count = *rc::gen::inRange(0, 60);
    for (int i = 0; i < count; ++i) {
      given.push_back({static_cast<RecordKind>(*rc::gen::elementOf(kinds)),
                       *rc::gen::arbitrary<std::uint64_t>(), *rc::gen::arbitrary<std::int64_t>(),
                       *rc::gen::arbitrary<std::string>()});
      std::string& body = given.back().body;  // B, C, R, Y have a meaning; other tests have them
      if (!body.empty() && std::string("BCRY").find(body.front()) != std::string::npos)
        body[0] = 'M';
    }
    {
      Writer writer = Writer::create(scratch / "a.rtr", {}, moment(clock), options).value();
      for (const Given& g : given) {
        RC_ASSERT(
            writer.append({g.kind, false, g.lsn, g.received_us, g.body}, clock.now()).has_value());
      }
      RC_ASSERT(writer.close(clock.now()).has_value());
    }
    for (const bool use_index : {true, false}) {
      ReadOptions read;
      read.use_index = use_index;
      Reader reader = Reader::open(scratch / "a.rtr", read).value();
      Entry entry;
      for (const Given& g : given) {
        RC_ASSERT(reader.next(entry).value());
        RC_ASSERT(entry.record.kind == g.kind);
        RC_ASSERT(entry.record.lsn == g.lsn);
        RC_ASSERT(entry.record.received_us == g.received_us);
        RC_ASSERT(entry.record.body == g.body);
      }
      RC_ASSERT(!reader.next(entry).value());
    }
  });
}

TEST_CASE("archive: varints and zigzag take every 64-bit value", "[archive]") {
  rc::prop("varint", [](std::uint64_t value) {
    std::string bytes;
    append_varint(bytes, value);
    const char* at = bytes.data();
    std::uint64_t back = 0;
    RC_ASSERT(read_varint(at, bytes.data() + bytes.size(), back));
    RC_ASSERT(back == value && at == bytes.data() + bytes.size());
    RC_ASSERT(unzigzag(zigzag(value)) == value);
    at = bytes.data();
    RC_ASSERT(!read_varint(at, bytes.data() + bytes.size() - 1, back));
  });
  CHECK(zigzag(0 - std::uint64_t{1}) == 1);
  const std::string eleven(10, '\xFF');
  const char* at = eleven.data();
  std::uint64_t value = 0;
  CHECK_FALSE(read_varint(at, eleven.data() + eleven.size(), value));
}

TEST_CASE("archive: zstd accepts a recording and gives back its content", "[archive]") {
  if (std::system("command -v zstd >/dev/null 2>&1") != 0) {
    WARN("zstd is not installed: skipped");
    return;
  }
  const Scratch scratch;
  ManualClock clock;
  WriterOptions options;
  options.block_raw_bytes = 4096;
  Writer writer = Writer::create(scratch / "a.rtr", origin(), moment(clock), options).value();
  write_transactions(writer, 0, 100, 3, clock.now());
  REQUIRE(writer.close(clock.now()));
  CHECK(std::system(("zstd -q -t " + (scratch / "a.rtr")).c_str()) == 0);
  const std::string out = scratch / "raw";
  CHECK(std::system(("zstd -q -dc " + (scratch / "a.rtr") + " > " + out).c_str()) == 0);
  Reader reader = Reader::open(scratch / "a.rtr").value();
  std::string raw;
  for (std::size_t i = 0; i < reader.block_count(); ++i) raw += reader.read_block(i).value().raw;
  CHECK(reader.block_count() > 3);
  CHECK(read_file(out) == raw);
}

TEST_CASE("archive: each block can be decoded alone", "[archive]") {
  const Scratch scratch;
  ManualClock clock;
  WriterOptions options;
  options.block_raw_bytes = 2000;
  Writer writer = Writer::create(scratch / "a.rtr", origin(), moment(clock), options).value();
  write_transactions(writer, 0, 1, 300, clock.now());  // one transaction over many blocks
  write_transactions(writer, 1, 30, 2, clock.now());
  REQUIRE(writer.close(clock.now()));
  Reader reader = Reader::open(scratch / "a.rtr").value();
  REQUIRE(reader.block_count() > 5);
  for (std::size_t i = 0; i < reader.block_count(); ++i) {
    const BlockContent block = reader.read_block(i).value();
    bool type_known = false;
    bool relation_known = false;
    bool begun = false;
    int prelude_begins = 0;
    std::uint32_t records = 0;
    const bool well_formed = block.each([&](const RecordView& record) {
      ++records;
      const char letter = record.body.front();
      if (letter == 'Y') type_known = true;
      if (letter == 'R') relation_known = type_known;
      if (letter == 'B') begun = true;
      if (letter == 'B' && record.prelude) ++prelude_begins;
      if (letter == 'I') CHECK((relation_known && begun));
    });
    CHECK(well_formed);
    CHECK(records == block.header.records);
    CHECK(prelude_begins == ((block.header.flags & kStartsInTransaction) != 0 ? 1 : 0));
  }
}

TEST_CASE("archive: a relation that changes in mid-stream is repeated in its latest form",
          "[archive]") {
  const Scratch scratch;
  ManualClock clock;
  WriterOptions options;
  options.block_raw_bytes = 1;  // each record a block
  Writer writer = Writer::create(scratch / "a.rtr", origin(), moment(clock), options).value();
  REQUIRE(writer.append(wal(relation(7, "before"), 0, 1), clock.now()));
  REQUIRE(writer.append(wal(insert(7, "x"), 1, 1), clock.now()));
  REQUIRE(writer.append(wal(relation(7, "after"), 0, 1), clock.now()));
  REQUIRE(writer.append(wal(insert(7, "x"), 2, 1), clock.now()));
  REQUIRE(writer.close(clock.now()));
  Reader reader = Reader::open(scratch / "a.rtr").value();
  REQUIRE(reader.block_count() == 4);
  const auto first_body = [&](std::size_t block) {
    std::string body;
    reader.read_block(block).value().each([&](const RecordView& r) {
      if (body.empty() && r.prelude) body = r.body;
    });
    return body;
  };
  CHECK(first_body(1) == relation(7, "before"));
  CHECK(first_body(3) == relation(7, "after"));
}

TEST_CASE("archive: the durable position follows fsync, not the write", "[archive]") {
  const Scratch scratch;
  ManualClock clock;
  Writer writer = Writer::create(scratch / "a.rtr", origin(), moment(clock)).value();
  CHECK_FALSE(writer.deadline());
  write_transactions(writer, 0, 2, 1, clock.now());
  CHECK(writer.durable_end_lsn() == 0);
  CHECK(writer.undurable());
  REQUIRE(writer.deadline());
  CHECK(*writer.deadline() == clock.now() + std::chrono::milliseconds(100));
  clock.advance(std::chrono::milliseconds(99));
  CHECK_FALSE(writer.tick(clock.now()).value());
  CHECK(writer.durable_end_lsn() == 0);
  clock.advance(std::chrono::milliseconds(1));
  CHECK(writer.tick(clock.now()).value());
  CHECK(writer.durable_end_lsn() == end_lsn(1));
  CHECK_FALSE(writer.undurable());
  // An open transaction moves nothing.
  REQUIRE(writer.append(wal(begin(commit_lsn(2), commit_time(2), 9), 1, 1), clock.now()));
  REQUIRE(writer.sync(clock.now()));
  CHECK(writer.durable_end_lsn() == end_lsn(1));
  CHECK(writer.undurable());
}

TEST_CASE("archive: what was prepared may be confirmed, its end with the transaction that follows",
          "[archive]") {
  const Scratch scratch;
  const ManualClock clock;
  Writer writer = Writer::create(scratch / "a.rtr", origin(), moment(clock)).value();
  const auto put_message = [&](char letter, std::uint64_t lsn) {
    std::string body(1, letter);
    if (letter != 'b') body += '\0';
    put(body, lsn);
    put(body, lsn + 8);
    body += std::string(12, '\0') + "gid" + '\0';
    REQUIRE(writer.append({RecordKind::two_phase, false, lsn, kStart, body}, clock.now()));
    REQUIRE(writer.sync(clock.now()));
  };
  put_message('b', 0x100);
  CHECK(writer.durable_end_lsn() == 0);
  put_message('P', 0x100);
  CHECK(writer.durable_end_lsn() == 0x108);
  put_message('K', 0x200);
  CHECK(writer.durable_end_lsn() == 0x108);
  put_message('r', 0x300);
  CHECK(writer.durable_end_lsn() == 0x308);
  REQUIRE(writer.close(clock.now()));
  Reader reader = Reader::open(scratch / "a.rtr").value();
  REQUIRE(reader.block_count() == 4);
  for (std::size_t i = 0; i < 4; ++i) CHECK((reader.block(i).flags & kHasTwoPhase) != 0);
  const Seen seen = read_all(reader);
  CHECK(seen.rows.empty());
  CHECK(seen.commits.empty());
}

TEST_CASE("archive: a full block is written at once and synced by size", "[archive]") {
  const Scratch scratch;
  ManualClock clock;
  WriterOptions options;
  options.block_raw_bytes = 1000;
  options.sync.bytes = 2000;
  Writer writer = Writer::create(scratch / "a.rtr", origin(), moment(clock), options).value();
  write_transactions(writer, 0, 200, 1, clock.now());
  CHECK(writer.totals().raw_bytes > 10'000);
  CHECK(writer.tick(clock.now()).value());  // no time has passed
  CHECK(writer.durable_end_lsn() == end_lsn(199));
}

TEST_CASE("archive: only one writer at a time", "[archive]") {
  const Scratch scratch;
  ManualClock clock;
  std::optional<Writer> writer = Writer::create(scratch / "a.rtr", origin(), moment(clock)).value();
  const auto second = Writer::open(scratch / "a.rtr", moment(clock));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Code::refused);
  CHECK_THAT(second.error().text, Catch::Contains("another process is writing it"));
  writer.reset();
  CHECK(Writer::open(scratch / "a.rtr", moment(clock)));
  CHECK(Writer::create(scratch / "a.rtr", origin(), moment(clock)).error().code == Code::usage);
}

TEST_CASE("archive: another cluster or an older timeline is refused", "[archive]") {
  const Scratch scratch;
  ManualClock clock;
  const Writer writer = Writer::create(scratch / "a.rtr", origin(), moment(clock)).value();
  CHECK(writer.check_origin(origin()));
  Origin other = origin();
  other.system_identifier = 1;
  CHECK(writer.check_origin(other).error().code == Code::refused);
  Origin promoted = origin();
  promoted.timeline = 2;
  CHECK(writer.check_origin(promoted));
  Origin restored = origin();
  restored.timeline = 0;
  CHECK(writer.check_origin(restored).error().code == Code::refused);
}

TEST_CASE("archive: record bodies come back as they were", "[archive]") {
  rc::prop("bodies", [](const std::string& a, const std::string& b, const std::string& c,
                        std::uint32_t pid, std::uint64_t lsn, std::int64_t time) {
    std::string bytes;
    encode(bytes, SseBody{a, b, c});
    const auto sse = decode_sse(bytes);
    RC_ASSERT(sse && sse->id == a && sse->event == b && sse->data == c);
    bytes.clear();
    encode(bytes, NotifyBody{a, b, pid});
    const auto notify = decode_notify(bytes);
    RC_ASSERT(notify && notify->channel == a && notify->payload == b && notify->pid == pid);
    bytes.clear();
    std::string fields;
    encode(fields, RedisField{a, b});
    encode(fields, RedisField{c, a});
    encode(bytes, RedisBody{a, b, fields});
    const auto redis = decode_redis(bytes);
    RC_ASSERT(redis && redis->id == a && redis->channel == b);
    const auto read = decode_redis_fields(redis->payload);
    RC_ASSERT(read && read->size() == 2 && (*read)[0].value == b && (*read)[1].name == c);
    bytes.clear();
    encode(bytes, KeepaliveBody{lsn, time});
    const auto keepalive = decode_keepalive(bytes);
    RC_ASSERT(keepalive && keepalive->wal_end == lsn && keepalive->server_time_us == time);
    bytes.clear();
    encode(bytes, SnapshotRowBody{pid, a});
    const auto row = decode_snapshot_row(bytes);
    RC_ASSERT(row && row->relation == pid && row->copy_line == a);
    const auto snapshot = decode_snapshot_begin(encode_json(SnapshotBegin{lsn, "00000003-1"}));
    RC_ASSERT(snapshot && snapshot->consistent_point == lsn && snapshot->snapshot == "00000003-1");
  });
  CHECK_FALSE(
      decode_sse("\x05"
                 "ab"));
  CHECK_FALSE(decode_notify("abc"));
  CHECK_FALSE(decode_redis("\x01"));
  CHECK_FALSE(decode_redis_fields("\x01"));
  CHECK_FALSE(decode_keepalive("short"));
  CHECK_FALSE(decode_snapshot_row("abc"));
  CHECK_FALSE(decode_snapshot_begin("[]"));
}

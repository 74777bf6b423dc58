#include "pipe/record_stamp.h"

#include "archive/bodies.h"
#include "archive/fixture.h"
#include "proto/pgoutput.h"

using namespace rt;
using namespace rt::archive::testing;

namespace {

RecordView sse(const std::string& body) {
  return {RecordKind::sse, false, 0, kStart, body};
}
std::string event(const std::string& id) {
  std::string body;
  archive::encode(body, archive::SseBody{id, "delta", "{}"});
  return body;
}

}  // namespace

TEST_CASE("record stamp: a round moves LSNs and times of a transaction, and nothing else",
          "[pipe]") {
  RecordStamp stamp = round_stamp(2, 0x1000, 500);
  const std::string first = begin(0x10, kStart, 7);
  const RecordView moved = stamp.apply(wal(first, 0x8, kStart));
  CHECK(moved.body == begin(0x2010, kStart + 1000, 7));
  CHECK(moved.lsn == 0x2008);
  CHECK(moved.received_us == kStart + 1000);
  const std::string last = commit(0x10, 0x20, kStart);
  CHECK(stamp.apply(wal(last, 0x10, kStart)).body == commit(0x2010, 0x2020, kStart + 1000));
  const std::string row = insert(7, "BBBBBBBBBBBBBBBBBBBBBBBB");
  CHECK(stamp.apply(wal(row, 0, kStart)).body == row);
  CHECK(stamp.apply(wal(row, 0, kStart)).lsn == 0);  // 0 is no LSN
}

TEST_CASE("record stamp: ids of events stay apart from round to round", "[pipe]") {
  RecordStamp stamp = round_stamp(1, 0x1000, 0);
  const auto id_of = [&](const std::string& id) {
    const std::string body = event(id);
    return std::string(archive::decode_sse(stamp.apply(sse(body)).body)->id);
  };
  CHECK(id_of(Position{0x10, 3}.text()) == Position{0x1010, 3}.text());
  CHECK(id_of("e-1") == "e-1~2");
  CHECK(id_of("").empty());
}

TEST_CASE("record stamp: fresh ids are one a transaction, above the clock, and rise", "[pipe]") {
  ManualClock clock;
  FreshIds fresh(clock);
  const auto now = static_cast<std::uint64_t>(unix_us(clock.wall()));
  const auto lsn_of = [&](const std::string& body) {
    const auto decoded = pgoutput::decode(fresh.apply(wal(body, 1, kStart)).body);
    if (const auto* first = std::get_if<pgoutput::Begin>(&decoded.message)) return first->final_lsn;
    return std::get<pgoutput::Commit>(decoded.message).commit_lsn;
  };
  CHECK(lsn_of(begin(0x10, kStart, 7)) == now);
  CHECK(lsn_of(commit(0x10, 0x20, kStart)) == now);
  CHECK(lsn_of(begin(0x30, kStart, 8)) == now + 1);
  clock.advance(std::chrono::seconds(1));
  CHECK(lsn_of(begin(0x50, kStart, 9)) == now + 1'000'000);
  const std::string body = event("e-1");
  CHECK(archive::decode_sse(fresh.apply(sse(body)).body)->id ==
        Position{now + 1'000'001, 0}.text());
}

#include "proto/standby_status.h"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <string>

#include "proto/big_endian.h"
#include "proto/pgoutput_writer.h"

using namespace std::chrono_literals;
using rt::StandbyStatus;
using Due = rt::StandbyStatus::Due;

namespace {

constexpr rt::Instant kStart{1000s};

// Feeds a StandbyStatus the way a stream would.
struct Stream {
  StandbyStatus status;
  rt::Instant now = kStart;

  explicit Stream(std::uint64_t durable = 100)
      : status(StandbyStatus::timing_for(60s), durable, kStart) {}
  void payload(const std::string& body, std::uint64_t lsn) {
    rt::StreamMessage message;
    message.kind = rt::StreamMessage::Kind::wal;
    message.lsn = lsn;
    message.wal_end = lsn;
    message.payload = body;
    status.received(message, now);
  }
  void begin(std::uint64_t final_lsn) {
    std::string body;
    rt::pgoutput::append_begin(body, {final_lsn, {}, 1});
    payload(body, 0);
  }
  void commit(std::uint64_t commit_lsn, std::uint64_t end_lsn) {
    std::string body;
    rt::pgoutput::append_commit(body, {0, commit_lsn, end_lsn, {}});
    payload(body, commit_lsn);
  }
  void logical_message(std::uint64_t lsn, bool transactional) {
    std::string body;
    rt::pgoutput::append_logical_message(body,
                                         {static_cast<std::uint8_t>(transactional), lsn, "p", "c"});
    payload(body, lsn);
  }
  void keepalive(std::uint64_t wal_end, bool reply_requested = false) {
    rt::StreamMessage message;
    message.kind = rt::StreamMessage::Kind::keepalive;
    message.wal_end = wal_end;
    message.reply_requested = reply_requested;
    status.received(message, now);
  }
  std::uint64_t flush() { return status.take(now, false).flush; }
};

std::string xlog_data(std::uint64_t lsn, std::uint64_t end, std::int64_t pg_us,
                      std::string_view body) {
  std::string out = "w";
  rt::append_big_endian(out, lsn);
  rt::append_big_endian(out, end);
  rt::append_big_endian(out, pg_us);
  return out.append(body);
}

}  // namespace

TEST_CASE("stream message: XLogData is lsn, end, server time, payload", "[proto][standby]") {
  const std::string bytes = xlog_data(0x1122334455667788, 0x99, 1, "Bxyz");
  const auto message = rt::decode_stream_message(bytes);
  REQUIRE(message);
  CHECK(message->kind == rt::StreamMessage::Kind::wal);
  CHECK(message->lsn == 0x1122334455667788);
  CHECK(message->wal_end == 0x99);
  CHECK(message->server_time_us == 946'684'800'000'001);
  CHECK(message->payload == "Bxyz");
}

TEST_CASE("stream message: a keepalive carries the position and whether to reply",
          "[proto][standby]") {
  std::string bytes = "k";
  rt::append_big_endian<std::uint64_t>(bytes, 77);
  rt::append_big_endian<std::int64_t>(bytes, 0);
  bytes += '\1';
  const auto message = rt::decode_stream_message(bytes);
  REQUIRE(message);
  CHECK(message->kind == rt::StreamMessage::Kind::keepalive);
  CHECK(message->wal_end == 77);
  CHECK(message->reply_requested);
}

TEST_CASE("stream message: every cut is refused, an unknown letter is not", "[proto][standby]") {
  const std::string wal = xlog_data(1, 2, 3, "");
  for (std::size_t size = 0; size < wal.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(rt::decode_stream_message(std::string_view(wal).substr(0, size)));
  }
  CHECK(rt::decode_stream_message(wal));
  for (std::size_t size = 1; size < 18; ++size) {
    CHECK_FALSE(rt::decode_stream_message(std::string(size, 'k')));
  }
  CHECK(rt::decode_stream_message("?")->kind == rt::StreamMessage::Kind::unknown);
}

TEST_CASE("standby status: the update has 34 bytes: r, write, flush, apply, clock, reply",
          "[proto][standby]") {
  const auto bytes = rt::encode_standby_status({3, 2, 1}, 946'684'800'000'005, true);
  REQUIRE(bytes.size() == 34);
  CHECK(bytes[0] == 'r');
  CHECK(rt::load_big_endian<std::uint64_t>(&bytes[1]) == 3);
  CHECK(rt::load_big_endian<std::uint64_t>(&bytes[9]) == 2);
  CHECK(rt::load_big_endian<std::uint64_t>(&bytes[17]) == 1);
  CHECK(rt::load_big_endian<std::uint64_t>(&bytes[25]) == 5);
  CHECK(bytes[33] == 1);
}

TEST_CASE("standby status: a commit counts only once it is confirmed as durable",
          "[proto][standby]") {
  Stream s;
  s.begin(200);
  s.commit(200, 210);
  CHECK(s.flush() == 100);
  s.status.confirmed(210);
  CHECK(s.flush() == 210);
}

TEST_CASE("standby status: an idle consumer confirms the keepalive's position",
          "[proto][standby]") {
  Stream s;
  s.keepalive(500);
  CHECK(s.flush() == 500);
}

TEST_CASE("standby status: a keepalive does not jump over what is not durable",
          "[proto][standby]") {
  Stream s;
  s.begin(200);
  s.keepalive(190);
  CHECK(s.flush() == 100);
  s.commit(200, 210);
  s.keepalive(900);
  CHECK(s.flush() == 100);
  s.status.confirmed(210);
  CHECK(s.flush() == 900);
}

TEST_CASE("standby status: of two transactions the second holds the keepalive back",
          "[proto][standby]") {
  Stream s;
  s.begin(200);
  s.commit(200, 210);
  s.begin(300);
  s.commit(300, 310);
  s.keepalive(900);
  s.status.confirmed(210);
  CHECK(s.flush() == 210);
  s.status.confirmed(310);
  CHECK(s.flush() == 900);
}

TEST_CASE("standby status: a message outside transactions must be confirmed by its own LSN",
          "[proto][standby]") {
  Stream s;
  s.logical_message(400, /*transactional=*/false);
  s.keepalive(900);
  CHECK(s.flush() == 100);
  s.status.confirmed(400);
  CHECK(s.flush() == 900);
  CHECK(s.status.resume_lsn() == 400);
}

TEST_CASE("standby status: a transactional message waits for its commit only", "[proto][standby]") {
  Stream s;
  s.begin(500);
  s.logical_message(400, /*transactional=*/true);
  s.commit(500, 510);
  s.status.confirmed(510);
  s.keepalive(900);
  CHECK(s.flush() == 900);
}

TEST_CASE("standby status: a streamed transaction counts from its Stream Commit, as others do",
          "[proto][standby]") {
  using namespace rt::pgoutput;
  Stream s;
  const auto send = [&](const Message& message, bool in_stream = false) {
    std::string body;
    append(body, message, {.in_stream = in_stream}, 7);
    s.payload(body, 300);
  };
  send(StreamStart{7, true});
  send(LogicalMessage{1, 300, "p", "c"}, /*in_stream=*/true);
  send(StreamStop{});
  s.keepalive(400);
  CHECK(s.flush() == 400);  // it will come whole again, whatever is confirmed before its commit
  send(StreamCommit{7, 0, 500, 510, {}});
  s.keepalive(900);
  CHECK(s.flush() == 400);
  CHECK(s.status.resume_lsn() == 510);
  s.status.confirmed(510);
  CHECK(s.flush() == 900);
}

TEST_CASE("standby status: a consumer may keep keepalives to itself until it has noted them",
          "[proto][standby]") {
  Stream s;
  s.status.let_consumer_confirm_keepalives();
  s.keepalive(900);
  CHECK(s.flush() == 100);
  CHECK(s.status.keepalive_lsn() == 900);
  s.status.confirmed(900);
  CHECK(s.flush() == 900);
}

TEST_CASE("standby status: the end of a snapshot must be confirmed first", "[proto][standby]") {
  Stream s;
  s.status.await(300);
  s.keepalive(900);
  CHECK(s.flush() == 100);
  s.status.confirmed(300);
  CHECK(s.flush() == 900);
}

TEST_CASE("standby status: confirming more than was received is cut down and counted",
          "[proto][standby]") {
  Stream s;
  s.begin(200);
  s.commit(200, 210);
  s.status.confirmed(5000);
  CHECK(s.flush() == 210);
  CHECK(s.status.confirmations_cut() == 1);
}

TEST_CASE("standby status: flush never goes back and never passes what was received",
          "[proto][standby]") {
  rc::prop("monotone and bounded", [] {
    Stream s(0);
    std::uint64_t lsn = 1;
    std::uint64_t heard = 0;
    std::uint64_t durable = 0;
    std::uint64_t undurable_from = 0;  // commit LSN of the first transaction not durable
    std::uint64_t last = 0;
    for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 4))) {
      lsn += 10;
      if (step == 0) {
        s.begin(lsn);
        s.commit(lsn, lsn + 5);
        if (undurable_from == 0) undurable_from = lsn;
        heard = lsn + 5;
      } else if (step == 1) {
        s.keepalive(lsn);
        heard = lsn;
      } else if (step == 2) {
        s.status.confirmed(durable = heard);
        undurable_from = 0;
      } else {
        const std::uint64_t flush = s.flush();
        RC_ASSERT(flush >= last);
        RC_ASSERT(flush <= heard);
        if (undurable_from != 0) RC_ASSERT(flush <= undurable_from);
        if (undurable_from == 0) RC_ASSERT(flush == std::max(durable, heard));
        last = flush;
      }
    }
  });
}

TEST_CASE("standby status: the interval is 10 s or a third of wal_sender_timeout",
          "[proto][standby]") {
  CHECK(StandbyStatus::timing_for(60s).interval == 10s);
  CHECK(StandbyStatus::timing_for(3s).interval == 1s);
  CHECK(StandbyStatus::timing_for(0s).interval == 10s);
  CHECK(StandbyStatus::timing_for(0s).silence == 60s);
}

TEST_CASE("standby status: one goes out at once, then every 10 s", "[proto][standby]") {
  Stream s;
  CHECK(s.status.due(kStart) == Due::status);
  s.flush();
  CHECK(s.status.due(kStart + 9999ms) == Due::nothing);
  CHECK(s.status.next_due() == kStart + 10s);
  CHECK(s.status.due(kStart + 10s) == Due::status);
}

TEST_CASE("standby status: an advanced position goes out after 1 s", "[proto][standby]") {
  Stream s;
  s.flush();
  s.keepalive(500);
  CHECK(s.status.due(kStart + 999ms) == Due::nothing);
  CHECK(s.status.due(kStart + 1s) == Due::status);
}

TEST_CASE("standby status: a requested reply goes out at once, but not in a tight loop",
          "[proto][standby]") {
  Stream s;
  s.flush();
  s.now += 1s;
  s.keepalive(500, /*reply_requested=*/true);
  CHECK(s.status.due(s.now) == Due::status);
  s.flush();
  s.keepalive(500, /*reply_requested=*/true);
  CHECK(s.status.due(s.now) == Due::nothing);
  CHECK(s.status.due(s.now + 10ms) == Due::status);
}

TEST_CASE("standby status: a silent server is asked, then given up", "[proto][standby]") {
  Stream s;
  for (s.now = kStart; s.now < kStart + 60s; s.now += 10s) s.flush();
  CHECK(s.status.due(kStart + 60s) == Due::status_with_reply_request);
  s.status.take(kStart + 60s, /*reply_requested=*/true);
  CHECK(s.status.due(kStart + 61s) == Due::nothing);
  CHECK(s.status.due(kStart + 119999ms) != Due::dead);
  CHECK(s.status.due(kStart + 120s) == Due::dead);
}

TEST_CASE("standby status: any message, or a pause of our own, ends the suspicion",
          "[proto][standby]") {
  Stream s;
  s.status.take(kStart + 60s, /*reply_requested=*/true);
  s.now = kStart + 61s;
  SECTION("a message") {
    s.keepalive(500);
  }
  SECTION("a pause") {
    s.status.not_reading(s.now);
  }
  CHECK(s.status.due(kStart + 120s) == Due::status);
  CHECK(s.status.due(kStart + 121s) == Due::status_with_reply_request);
}

TEST_CASE("standby status: a new connection voids the open transaction and keeps the rest",
          "[proto][standby]") {
  Stream s;
  s.begin(200);
  s.commit(200, 210);
  s.begin(300);
  CHECK(s.status.in_transaction());
  CHECK(s.status.open_transaction_lsn() == 300);
  s.status.reconnected(StandbyStatus::timing_for(60s), s.status.resume_lsn(), kStart + 5s);
  CHECK_FALSE(s.status.in_transaction());
  CHECK(s.status.resume_lsn() == 210);
  CHECK(s.flush() == 100);
  s.status.confirmed(210);
  CHECK(s.flush() == 210);
}

#include "pipe/wal_events.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "archive/bodies.h"
#include "proto/pg_types.h"
#include "proto/pgoutput_writer.h"

namespace rt::test {
namespace {

using pgoutput::OldRow;
using pgoutput::Value;
using pgoutput::ValueKind;
using Lines = std::vector<std::string>;

constexpr std::uint32_t kOrders = 16384;
constexpr std::uint32_t kNotes = 16385;

// 2026-03-29 00:30:00 UTC
constexpr std::int64_t kTimeUs = 1'774'744'200'000'000;

Value text(std::string_view bytes) {
  return {ValueKind::text, bytes};
}
const Value kNull{};
const Value kUnchanged{ValueKind::unchanged, {}};

// A stream of a source, and the events it becomes.
class Stream {
 public:
  explicit Stream(WalEventsOptions options = {}) : events_(std::move(options)) {
    describe(kOrders, "orders");
    describe(kNotes, "notes");
  }

  void begin(std::uint64_t lsn, std::int64_t time_us = kTimeUs) {
    pgoutput::append_begin(body_, {lsn, pgoutput::Timestamp::from_unix_us(time_us), 700});
    lsn_ = lsn;
    take();
  }
  void commit() {
    pgoutput::append_commit(body_,
                            {0, lsn_, lsn_ + 48, pgoutput::Timestamp::from_unix_us(kTimeUs)});
    take();
  }
  void insert(std::string_view id, std::uint32_t relation = kOrders) {
    pgoutput::append_insert(body_, relation, std::vector<Value>{text(id), kNull, kNull});
    take();
  }
  void update(OldRow kind, const std::vector<Value>& old, const std::vector<Value>& now) {
    pgoutput::append_update(body_, kOrders, kind, old, now);
    take();
  }
  void remove(OldRow kind, const std::vector<Value>& old) {
    pgoutput::append_delete(body_, kOrders, kind, old);
    take();
  }
  void truncate(std::uint8_t flags = 0) {
    const std::vector<std::uint32_t> both = {kOrders, kNotes};
    pgoutput::append_truncate(body_, flags, both);
    take();
  }
  void message(bool transactional, std::uint64_t lsn, std::string_view content) {
    pgoutput::append_logical_message(
        body_, {static_cast<std::uint8_t>(transactional ? 1 : 0), lsn, "audit", content});
    take();
  }
  void abandon() { put({RecordKind::abandon, false, lsn_, 0, {}}); }
  void snapshot_row(std::string_view line) {
    archive::encode(body_, archive::SnapshotRowBody{kOrders, line});
    put({RecordKind::snapshot_row, false, 1, 0, body_});
    body_.clear();
  }
  Result<void> put(const RecordView& record) {
    return events_.take(record, [this](const WalEvent& event) {
      ids_.emplace_back(event.id);
      names_.emplace_back(event.name);
      topics_.emplace_back(event.topic);
      data_.emplace_back(event.data);
      committed_ = event.committed;
    });
  }

  Lines ids() const { return ids_; }
  Lines names() const { return names_; }
  Lines topics() const { return topics_; }
  std::string data() const { return data_.empty() ? "" : data_.back(); }
  Lines all_data() const { return data_; }
  std::optional<WallTime> committed() const { return committed_; }
  std::uint64_t end_lsn() const { return events_.end_lsn(); }

 private:
  void describe(std::uint32_t oid, std::string_view name) {
    const std::vector<pgoutput::Column> columns = {{1, "id", pg_type::kInt4, -1},
                                                   {0, "doc", pg_type::kJsonb, -1},
                                                   {0, "at", pg_type::kTimestamptz, -1}};
    pgoutput::append_relation(body_, oid, "public", name, 'd', columns);
    REQUIRE(put({RecordKind::wal, true, 0, 0, body_}));
    body_.clear();
  }
  void take() {
    REQUIRE(put({RecordKind::wal, false, 0, 0, body_}));
    body_.clear();
  }

  WalEvents events_;
  std::string body_;
  std::uint64_t lsn_ = 0;
  Lines ids_;
  Lines names_;
  Lines topics_;
  Lines data_;
  std::optional<WallTime> committed_;
};

const std::string kHead =
    R"(","schema":"public","table":"orders","commit_time":"2026-03-29T00:30:00.000000Z","xid":700)";

TEST_CASE("wal events: an insert is its position and one JSON object with typed values",
          "[pipe][wal_events]") {
  Stream stream;
  stream.begin(0x14D7E3B28);
  stream.insert("1");
  stream.insert("-2");
  stream.commit();
  CHECK(stream.ids() == Lines{"000000014D7E3B28-00000000", "000000014D7E3B28-00000001"});
  CHECK(stream.names() == Lines{"insert", "insert"});
  CHECK(stream.topics() == Lines{"public.orders", "public.orders"});
  CHECK(stream.data() == R"({"op":"insert)" + kHead + R"(,"new":{"id":-2,"doc":null,"at":null}})");
  CHECK(stream.committed() == from_unix_us(kTimeUs));
  CHECK(stream.end_lsn() == 0x14D7E3B28 + 48);
}

TEST_CASE("wal events: an update shows what its replica identity gives", "[pipe][wal_events]") {
  Stream stream;
  stream.begin(1);
  const std::string update = R"({"op":"update)" + kHead;
  const Value doc = text("{\"a\": [1,  2]}");
  stream.update(OldRow::none, {}, {text("1"), doc, text("2026-03-29 00:30:00+00")});
  CHECK(stream.data() ==
        update + R"(,"new":{"id":1,"doc":{"a":[1,2]},"at":"2026-03-29T00:30:00+00:00"}})");
  stream.update(OldRow::key, {text("1"), kNull, kNull}, {text("2"), kUnchanged, kNull});
  CHECK(stream.data() ==
        update + R"(,"new":{"id":2,"at":null},"old":{"id":1},"unchanged":["doc"]})");
  stream.update(OldRow::full, {text("1"), doc, kNull}, {text("1"), kUnchanged, kNull});
  CHECK(stream.data() == update + R"(,"new":{"id":1,"doc":{"a":[1,2]},"at":null})"
                                  R"(,"old":{"id":1,"doc":{"a":[1,2]},"at":null}})");
}

TEST_CASE("wal events: a delete has no new row, a truncate is one event for each table",
          "[pipe][wal_events]") {
  Stream stream;
  stream.begin(1);
  stream.remove(OldRow::key, {text("1"), kNull, kNull});
  CHECK(stream.data() == R"({"op":"delete)" + kHead + R"(,"old":{"id":1}})");
  stream.truncate();
  CHECK(stream.topics() == Lines{"public.orders", "public.orders", "public.notes"});
  CHECK(stream.ids().back() == "0000000000000001-00000002");
  CHECK(stream.all_data()[1] == R"({"op":"truncate)" + kHead + "}");
  stream.truncate(3);
  CHECK(nlohmann::json::parse(stream.data())["cascade"] == true);
  CHECK(nlohmann::json::parse(stream.data())["restart_identity"] == true);
}

TEST_CASE("wal events: messages take no index from the rows around them", "[pipe][wal_events]") {
  Stream stream;
  stream.message(false, 5, "alone");
  stream.begin(10);
  stream.insert("1");
  stream.message(true, 8, "inside \xff");
  stream.insert("2");
  stream.commit();
  CHECK(stream.ids() == Lines{"0000000000000005-FFFFFFFF", "000000000000000A-00000000", "",
                              "000000000000000A-00000001"});
  CHECK(stream.topics()[0] == "audit");
  CHECK(stream.all_data()[0] == R"({"op":"message","prefix":"audit","content":"alone"})");
  const auto inside = nlohmann::json::parse(stream.all_data()[2]);
  CHECK(inside["content"]["base64"] == "aW5zaWRlIP8=");
  CHECK(inside["xid"] == 700);
}

TEST_CASE("wal events: a transaction cut off is told once when it comes again",
          "[pipe][wal_events]") {
  for (int cut = 0; cut <= 5; ++cut) {
    Stream stream;
    const auto send = [&stream](int parts) {
      stream.message(false, 5, "alone");
      stream.begin(10);
      if (parts > 0) stream.insert("1");
      if (parts > 1) stream.message(true, 8, "m");
      if (parts > 2) stream.insert("2", kNotes);
      if (parts > 3) stream.truncate();
      if (parts > 4) stream.message(true, 9, "n");
    };
    send(cut);
    stream.abandon();
    send(5);
    stream.commit();
    CHECK(stream.names() ==
          Lines{"message", "insert", "message", "insert", "truncate", "truncate", "message"});
  }
}

TEST_CASE("wal events: after a position only what follows is told", "[pipe][wal_events]") {
  const auto told_after = [](Position after) {
    Stream stream({{}, after, {}});
    for (const std::uint64_t lsn : {10u, 20u}) {
      stream.message(false, lsn - 5, "alone");
      stream.begin(lsn);
      stream.insert("1");
      stream.message(true, lsn - 1, "inside");
      stream.insert("2");
      stream.commit();
    }
    std::string all;
    for (const std::string& name : stream.names()) all += name[0];
    return all;
  };
  CHECK(told_after({0, 0}) == "mimimimi");
  CHECK(told_after({5, Position::kEnd}) == "imimimi");
  CHECK(told_after({10, 0}) == "mimimi");  // the message inside may have been missed: told again
  CHECK(told_after({10, 1}) == "mimi");
  CHECK(told_after({10, Position::kEnd}) == "mimi");
  CHECK(told_after({15, Position::kEnd}) == "imi");
  CHECK(told_after({20, 1}).empty());
}

TEST_CASE("wal events: since a time, and of some tables only", "[pipe][wal_events]") {
  Stream stream({{{"public", "notes"}}, {}, from_unix_us(kTimeUs)});
  stream.begin(10, kTimeUs - 1);
  stream.insert("1", kNotes);
  stream.commit();
  stream.begin(20);
  stream.insert("2", kOrders);
  stream.insert("3", kNotes);
  stream.message(true, 19, "of no table");
  stream.truncate();
  stream.commit();
  CHECK(stream.ids() == Lines{"0000000000000014-00000001", "0000000000000014-00000003"});
  CHECK(stream.topics() == Lines{"public.notes", "public.notes"});
}

TEST_CASE("wal events: a snapshot's rows have no id to go on from", "[pipe][wal_events]") {
  Stream stream;
  stream.snapshot_row("7\t{\"a\\\\tb\": 1}\t\\N");
  CHECK(stream.names() == Lines{"row"});
  CHECK(stream.ids() == Lines{""});
  CHECK(stream.data() == R"({"op":"row","schema":"public","table":"orders",)"
                         R"("new":{"id":7,"doc":{"a\tb":1},"at":null}})");
}

TEST_CASE("wal events: what cannot be read is an error, never dropped", "[pipe][wal_events]") {
  Stream stream;
  CHECK(stream.put({RecordKind::wal, false, 0, 0, "I"}).error().code == Code::integrity);
  std::string body;
  pgoutput::append_insert(body, 1, std::vector<Value>{text("1")});
  const auto unknown = stream.put({RecordKind::wal, false, 0, 0, body});
  CHECK(unknown.error().code == Code::integrity);
  CHECK(unknown.error().text.find("relation 1,") != std::string::npos);
}

}  // namespace
}  // namespace rt::test

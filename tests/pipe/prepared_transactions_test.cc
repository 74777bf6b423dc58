#include "pipe/prepared_transactions.h"

#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <vector>

#include "pipe/streamed_transactions.h"
#include "proto/pgoutput_writer.h"

using rt::PreparedTransactions;
using rt::RecordBatch;
using rt::RecordKind;
using rt::Result;
using namespace rt::pgoutput;
using Kind = TwoPhase::Kind;
using Lines = std::vector<std::string>;

namespace {

constexpr std::uint32_t kTable = 16384;

std::string row_text(std::string_view body) {
  const auto decoded = decode(body);
  REQUIRE(decoded);
  if (const auto* begin = std::get_if<Begin>(&decoded.message)) {
    return "B" + std::to_string(begin->xid) + "@" + std::to_string(begin->final_lsn);
  }
  if (const auto* commit = std::get_if<Commit>(&decoded.message)) {
    return "C@" + std::to_string(commit->commit_lsn) + "-" + std::to_string(commit->end_lsn);
  }
  if (const auto* insert = std::get_if<Insert>(&decoded.message)) {
    return "I " + std::string(insert->row[0].bytes.substr(0, 8));
  }
  return std::string(body.substr(0, 1));
}

// "p.P7", "p.I one" of what is kept as it came, "B7@30", "I one", "C@30-40" of transactions, "G" of
// a gap.
std::string text_of(const rt::RecordView& record) {
  if (record.kind == RecordKind::wal) return row_text(record.body);
  if (record.kind != RecordKind::two_phase) return std::string(1, static_cast<char>(record.kind));
  const auto message = decode_two_phase(record.body);
  if (!message) return "p." + row_text(record.body);
  return std::string("p.") + static_cast<char>(message->kind) + std::to_string(message->xid);
}

class Stream {
 public:
  explicit Stream(std::uint64_t held_lsn = 0)
      : prepared(std::filesystem::temp_directory_path().string(), held_lsn) {}

  void send(Kind kind, std::uint32_t xid, std::uint64_t lsn) {
    std::string body;
    append_two_phase(body, {kind, lsn, lsn + 9, {}, xid, "gid"});
    put(RecordKind::wal, body);
  }
  void row(const std::string& text) {
    std::string body;
    const std::array<Value, 1> values{Value{ValueKind::text, text}};
    append_insert(body, kTable, values);
    put(RecordKind::wal, body);
  }
  void message(const Message& one) {
    std::string body;
    append(body, one);
    put(RecordKind::wal, body);
  }
  void put(RecordKind kind, const std::string& body) { batch_.append({kind, false, 5, 6, body}); }
  // What comes out of all that was sent since.
  Lines run() {
    Lines lines;
    const auto taken = prepared.take(batch_, [&](RecordBatch& batch) -> Result<void> {
      for (std::size_t i = 0; i < batch.size(); ++i) {
        lines.push_back(text_of(batch[i]));
        if (batch[i].kind == RecordKind::two_phase) stored_.append(batch[i]);
      }
      return {};
    });
    batch_.clear();
    if (!taken) lines.push_back(taken.error().text);
    return lines;
  }
  // A recorder that goes on with what this one has stored.
  Stream resumed(std::uint64_t held_lsn) const {
    Stream next(held_lsn);
    for (std::size_t i = 0; i < stored_.size(); ++i) REQUIRE(next.prepared.restore(stored_[i]));
    return next;
  }

  PreparedTransactions prepared;

 private:
  RecordBatch batch_;
  RecordBatch stored_;
};

}  // namespace

TEST_CASE("prepared transactions: kept as they came, and a transaction once they commit",
          "[pipe][prepared]") {
  Stream s;
  s.send(Kind::begin_prepare, 7, 100);
  s.message(Relation{kTable, "public", "t", 'd', {}});
  s.row("one");
  s.send(Kind::prepare, 7, 100);
  s.message(Begin{200, {}, 8});
  s.row("other");
  s.message(Commit{0, 200, 209, {}});
  CHECK(s.run() == Lines{"p.b7", "R", "p.I one", "p.P7", "B8@200", "I other", "C@200-209"});
  CHECK(s.prepared.waiting() == 1);
  s.send(Kind::commit_prepared, 7, 300);
  CHECK(s.run() == Lines{"p.K7", "B7@300", "I one", "C@300-309"});
  CHECK(s.prepared.waiting() == 0);
}

TEST_CASE("prepared transactions: one that is rolled back is no transaction", "[pipe][prepared]") {
  Stream s;
  s.send(Kind::begin_prepare, 7, 100);
  s.row("one");
  s.send(Kind::prepare, 7, 100);
  s.send(Kind::rollback_prepared, 7, 200);
  CHECK(s.run() == Lines{"p.b7", "p.I one", "p.P7", "p.r7"});
  CHECK(s.prepared.waiting() == 0);
}

TEST_CASE("prepared transactions: cut off by a lost connection it comes again",
          "[pipe][prepared]") {
  Stream s;
  s.send(Kind::begin_prepare, 7, 100);
  s.row("half");
  s.put(RecordKind::abandon, "");
  s.send(Kind::begin_prepare, 7, 100);
  s.row("whole");
  s.send(Kind::prepare, 7, 100);
  s.send(Kind::commit_prepared, 7, 200);
  CHECK(s.run() == Lines{"p.b7", "p.I half", "p.b7", "p.I whole", "p.P7", "p.K7", "B7@200",
                         "I whole", "C@200-209"});
}

TEST_CASE("prepared transactions: a recorder that goes on knows those that wait",
          "[pipe][prepared]") {
  Stream s;
  for (const std::uint32_t xid : {7u, 8u}) {
    s.send(Kind::begin_prepare, xid, 100 * xid);
    s.row(std::to_string(xid));
    s.send(Kind::prepare, xid, 100 * xid);
  }
  s.send(Kind::begin_prepare, 9, 900);
  s.row("torn");
  s.run();
  SECTION("which are not prepared twice, and commit though their rows come no more") {
    Stream next = s.resumed(809);
    CHECK(next.prepared.waiting() == 2);
    next.send(Kind::begin_prepare, 8, 800);
    next.row("8");
    next.send(Kind::prepare, 8, 800);
    next.send(Kind::begin_prepare, 9, 900);
    next.row("again");
    next.send(Kind::prepare, 9, 900);
    CHECK(next.run() == Lines{"p.b9", "p.I again", "p.P9"});
    next.send(Kind::commit_prepared, 7, 1000);
    next.send(Kind::rollback_prepared, 8, 1100);
    CHECK(next.run() == Lines{"p.K7", "B7@1000", "I 7", "C@1000-1009", "p.r8"});
    CHECK(next.prepared.waiting() == 1);
  }
  SECTION("and takes nothing for a part of one that was cut off") {
    Stream next = s.resumed(809);
    next.message(Begin{850, {}, 10});
    next.row("ordinary");
    next.message(Commit{0, 850, 859, {}});
    next.message(LogicalMessage{0, 870, "p", "outside"});
    next.send(Kind::begin_prepare, 9, 900);
    next.row("whole");
    next.send(Kind::prepare, 9, 900);
    CHECK(next.run() ==
          Lines{"B10@850", "I ordinary", "C@850-859", "M", "p.b9", "p.I whole", "p.P9"});
  }
  SECTION("also when it was killed between the end and the transaction that follows it") {
    s.send(Kind::begin_prepare, 9, 900);
    s.send(Kind::prepare, 9, 900);
    s.send(Kind::commit_prepared, 7, 1000);
    s.send(Kind::rollback_prepared, 8, 1100);
    s.run();
    Stream next = s.resumed(909);  // of 7 the Commit is not durable, of 8 the end is not
    CHECK(next.prepared.waiting() == 3);
    next.send(Kind::commit_prepared, 7, 1000);
    CHECK(next.run() == Lines{"p.K7", "B7@1000", "I 7", "C@1000-1009"});
  }
  SECTION("and leaves out what it has whole") {
    s.send(Kind::commit_prepared, 7, 1000);
    s.send(Kind::rollback_prepared, 8, 1100);
    s.run();
    Stream next = s.resumed(1109);
    CHECK(next.prepared.waiting() == 0);
    next.send(Kind::begin_prepare, 7, 700);
    next.row("7");
    next.send(Kind::prepare, 7, 700);
    next.send(Kind::commit_prepared, 7, 1000);
    next.send(Kind::rollback_prepared, 8, 1100);
    CHECK(next.run().empty());
  }
}

TEST_CASE("prepared transactions: prepared before it was asked for, it comes when it commits",
          "[pipe][prepared]") {
  Stream s(500);  // all up to there was recorded without
  s.send(Kind::begin_prepare, 7, 100);
  s.row("old");
  s.send(Kind::prepare, 7, 100);
  s.send(Kind::commit_prepared, 7, 600);
  CHECK(s.run() == Lines{"p.b7", "p.I old", "p.P7", "p.K7", "B7@600", "I old", "C@600-609"});
  s.send(Kind::rollback_prepared, 8, 700);  // of one that was never told
  CHECK(s.run().empty());
}

TEST_CASE("prepared transactions: a commit whose rows are missing is a gap", "[pipe][prepared]") {
  Stream s;
  s.send(Kind::commit_prepared, 7, 600);
  CHECK(s.run() == Lines{"G"});
}

TEST_CASE("prepared transactions: what does not fit in memory comes back from a file",
          "[pipe][prepared]") {
  Stream s;
  s.send(Kind::begin_prepare, 7, 100);
  for (int i = 0; i < 20; ++i) {
    s.row(std::to_string(1000 + i) + "    " + std::string(rt::RecordSpool::kMemoryMax / 8, 'x'));
  }
  s.send(Kind::prepare, 7, 100);
  s.run();
  s.send(Kind::commit_prepared, 7, 200);
  const Lines lines = s.run();
  REQUIRE(lines.size() == 23);
  for (int i = 0; i < 20; ++i) {
    CHECK(lines[static_cast<std::size_t>(i) + 2] == "I " + std::to_string(1000 + i) + "    ");
  }
}

TEST_CASE("prepared transactions: one that was streamed is prepared whole", "[pipe][prepared]") {
  rt::StreamedTransactions streamed(std::filesystem::temp_directory_path().string());
  RecordBatch batch;
  const auto send = [&](const std::string& body) {
    batch.append({RecordKind::wal, false, 0, 0, body});
  };
  std::string body;
  append(body, StreamStart{7, true});
  send(body);
  std::string row;
  const std::array<Value, 1> values{Value{ValueKind::text, "one"}};
  append_insert(row, kTable, values);
  body.clear();
  append(body, decode(row).message, {.in_stream = true}, 7);
  send(body);
  body.clear();
  append(body, StreamStop{});
  send(body);
  body.clear();
  append_two_phase(body, {Kind::stream_prepare, 100, 109, {}, 7, "gid"});
  send(body);
  Lines lines;
  Stream s;
  REQUIRE(streamed.take(batch, [&](RecordBatch& whole) -> Result<void> {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      s.put(whole[i].kind, std::string(whole[i].body));
    }
    return {};
  }));
  CHECK(s.run() == Lines{"p.b7", "p.I one", "p.P7"});
}

TEST_CASE("prepared transactions: a malformed message is an error", "[pipe][prepared]") {
  Stream s;
  s.put(RecordKind::wal, "K");
  CHECK(s.run() == Lines{"cannot follow prepared transactions: a bad message 'K'"});
}

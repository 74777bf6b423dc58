#include "pipe/streamed_transactions.h"

#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <vector>

#include "proto/pgoutput.h"
#include "proto/pgoutput_writer.h"

using rt::Code;
using rt::RecordBatch;
using rt::RecordKind;
using rt::Result;
using rt::StreamedTransactions;
using namespace rt::pgoutput;

namespace {

constexpr std::uint32_t kTable = 16384;

// Feeds messages of protocol 2 and reads what comes out as text: "B7", "I one", "C".
class Stream {
 public:
  void send(const Message& message, Options options = {}, std::uint32_t xid = 0) {
    std::string body;
    append(body, message, options, xid);
    put(RecordKind::wal, 0, body);
  }
  void start(std::uint32_t xid, bool first) { send(StreamStart{xid, first}); }
  void stop() { send(StreamStop{}); }
  void row(std::uint32_t xid, const std::string& text) {
    std::string plain;
    const std::array<Value, 1> values{Value{ValueKind::text, text}};
    append_insert(plain, kTable, values);
    send(decode(plain).message, {.in_stream = true}, xid);
  }
  void relation(std::uint32_t xid) {
    std::string plain;
    const std::array<Column, 1> columns{Column{1, "v", 25, -1}};
    append_relation(plain, kTable, "public", "t", 'd', columns);
    send(decode(plain).message, {.in_stream = true}, xid);
  }
  void put(RecordKind kind, std::uint64_t lsn, const std::string& body) {
    batch_.append({kind, false, lsn, 0, body});
  }
  Result<void> run() {
    const auto result = streams.take(batch_, [&](RecordBatch& batch) -> Result<void> {
      for (std::size_t i = 0; i < batch.size(); ++i) out.push_back(text_of(batch[i]));
      return {};
    });
    batch_.clear();
    return result;
  }

  StreamedTransactions streams{std::filesystem::temp_directory_path().string()};
  std::vector<std::string> out;

 private:
  static std::string text_of(const rt::RecordView& record) {
    if (record.kind != RecordKind::wal) return std::string(1, static_cast<char>(record.kind));
    const auto decoded = decode(record.body);
    REQUIRE(decoded);
    if (const auto* begin = std::get_if<Begin>(&decoded.message)) {
      return "B" + std::to_string(begin->xid) + "@" + std::to_string(begin->final_lsn);
    }
    if (const auto* commit = std::get_if<Commit>(&decoded.message)) {
      return "C@" + std::to_string(commit->commit_lsn) + "-" + std::to_string(commit->end_lsn);
    }
    if (const auto* insert = std::get_if<Insert>(&decoded.message)) {
      const auto bytes = insert->row[0].bytes;
      return "I " + std::string(bytes.substr(0, 8));
    }
    return record.body.substr(0, 1) == "R" ? "R" : "?";
  }

  RecordBatch batch_;
};

StreamCommit commit_of(std::uint32_t xid, std::uint64_t lsn) {
  return {xid, 0, lsn, lsn + 30, {1}};
}

}  // namespace

TEST_CASE("streamed transactions: interleaved ones come out whole, in commit order",
          "[pipe][streamed]") {
  Stream s;
  s.start(7, true);
  s.relation(7);
  s.row(7, "a1");
  s.stop();
  s.start(8, true);
  s.relation(8);
  s.row(8, "b1");
  s.stop();
  REQUIRE(s.run());
  CHECK(s.out.empty());
  s.start(7, false);
  s.row(7, "a2");
  s.stop();
  s.send(commit_of(8, 100));
  s.send(Begin{200, {}, 9});  // a small one, between
  s.send(Commit{0, 200, 230, {}});
  s.send(commit_of(7, 300));
  REQUIRE(s.run());
  CHECK(s.out == std::vector<std::string>{"B8@100", "R", "I b1", "C@100-130", "B9@200", "C@200-230",
                                          "B7@300", "R", "I a1", "I a2", "C@300-330"});
  CHECK(s.streams.open() == 0);
}

TEST_CASE("streamed transactions: an aborted savepoint takes its rows away, not the descriptions",
          "[pipe][streamed]") {
  Stream s;
  s.start(7, true);
  s.row(7, "kept");
  s.relation(71);
  s.row(71, "gone");
  s.row(72, "kept too");
  s.stop();
  s.send(StreamAbort{7, 71, false, 0, {}});
  s.start(8, true);
  s.row(8, "all gone");
  s.stop();
  s.send(StreamAbort{8, 8, false, 0, {}});
  s.send(commit_of(7, 100));
  REQUIRE(s.run());
  CHECK(s.out == std::vector<std::string>{"B7@100", "I kept", "R", "I kept too", "C@100-130"});
  CHECK(s.streams.withdrawn_rows() == 1);
}

TEST_CASE("streamed transactions: what does not fit in memory comes back from a file",
          "[pipe][streamed]") {
  Stream s;
  const std::string wide(50'000, 'x');
  s.start(7, true);
  for (int i = 0; i < 40; ++i) s.row(7, std::to_string(1000 + i) + "    " + wide);
  s.row(7, "giant   " + std::string(2 * rt::RecordSpool::kMemoryMax, 'y'));
  s.row(7, "last");
  s.stop();
  REQUIRE(s.run());
  s.send(commit_of(7, 100));
  REQUIRE(s.run());
  REQUIRE(s.out.size() == 44);
  for (std::size_t i = 0; i < 40; ++i)
    CHECK(s.out[i + 1] == "I " + std::to_string(1000 + i) + "    ");
  CHECK(s.out[41] == "I giant   ");
  CHECK(s.out[42] == "I last");
}

TEST_CASE("streamed transactions: after a lost connection all of them begin anew",
          "[pipe][streamed]") {
  Stream s;
  s.start(7, true);
  s.row(7, "half");
  s.put(RecordKind::abandon, 0, "");  // inside the part, even
  s.start(7, true);
  s.row(7, "whole");
  s.stop();
  s.send(commit_of(7, 100));
  REQUIRE(s.run());
  CHECK(s.out == std::vector<std::string>{"B7@100", "I whole", "C@100-130"});
}

TEST_CASE("streamed transactions: a stream that breaks the rules is an error", "[pipe][streamed]") {
  Stream s;
  SECTION("a part of a transaction that never began") {
    s.start(7, false);
  }
  SECTION("a part inside a part") {
    s.start(7, true);
    s.start(8, true);
  }
  SECTION("a commit of an unknown one") {
    s.send(commit_of(7, 100));
  }
  const auto result = s.run();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Code::refused);
}

// The jobs board with scripted records: what each watcher is told, and when nobody is asked.
#include <array>
#include <catch2/catch.hpp>
#include <utility>

#include "archive/bodies.h"
#include "proto/pgoutput_writer.h"
#include "server/jobs_board.h"
#include "server/jobs_endpoint.h"

using namespace rt;
using namespace rt::server;

namespace {

// A hub that writes down what it is asked to do.
class Port final : public BoardPort {
 public:
  void send(const EventRef& event) override {
    said.push_back(std::string(event->content().frame) + (event->content().last ? "|" : ""));
  }
  bool has_room() override { return true; }
  void answer(const Asker&, Answer answer) override { answers.push_back(std::move(answer)); }
  void tell(const Asker&, std::string text, bool last) override {
    if (!text.empty() || last) said.push_back(text + (last ? "|" : ""));
  }
  io::Wakeup& wakeup() override { return wakeup_; }
  WallTime now() override { return {}; }

  std::vector<std::string> said;
  std::vector<Answer> answers;

 private:
  io::Wakeup wakeup_ = *io::Wakeup::create();
};

struct Bench {
  explicit Bench(std::optional<JobRow> in_database = std::nullopt,
                 std::size_t row_bytes_max = 1 << 20)
      : board({.look = [this, in_database](const std::string&) -> Result<std::optional<JobRow>> {
                 ++looks;
                 return in_database;
               },
               .send = [](const std::string&, const std::string& data) -> Result<std::string> {
                 if (data == "0") return fail(Code::refused, "there is no such queue");
                 return "id-of-" + data;
               },
               .row_bytes_max = row_bytes_max}) {
    REQUIRE(board.open(port));
    const std::array<pgoutput::Column, 3> columns = {
        {{1, "id", 25, -1}, {0, "task_id", 25, -1}, {0, "status", 25, -1}}};
    pgoutput::append_relation(wal, kTable, "public", "job_runs", 'f', columns);
    hear_wal();
  }
  void hear_wal() {
    RecordView record;
    record.kind = RecordKind::wal;
    record.body = wal;
    board.hear(record);
    wal.clear();
  }
  // A transaction of its own, with one change.
  void commit(const std::function<void()>& append_change) {
    lsn += 0x10;
    pgoutput::append_begin(wal, {.final_lsn = lsn, .commit_time = {}, .xid = 1});
    hear_wal();
    append_change();
    hear_wal();
  }
  // As a row of the table, new or changed.
  void put(const std::string& id, const std::string& status) {
    using pgoutput::ValueKind;
    const std::array<pgoutput::Value, 3> row = {
        {{ValueKind::text, id}, {ValueKind::text, "mail"}, {ValueKind::text, status}}};
    commit([&] { pgoutput::append_insert(wal, kTable, row); });
  }
  void truncate() {
    const std::array<std::uint32_t, 1> tables = {kTable};
    commit([&] { pgoutput::append_truncate(wal, 0, tables); });
  }
  std::vector<std::string> take_said() { return std::exchange(port.said, {}); }
  void snapshot() {
    RecordView record;
    const std::string begin = archive::encode_json({100, "s"});
    record.kind = RecordKind::snapshot_begin;
    record.body = begin;
    board.hear(record);
    record.kind = RecordKind::snapshot_end;
    record.body = {};
    record.lsn = 100;
    board.hear(record);
  }
  void join(const std::string& id, const std::string& last_event_id = "") {
    Opening opening;
    opening.name = id;
    opening.target = hash_name(Role::job, id);
    opening.last_event_id = last_event_id;
    board.join(asker, opening);
  }
  // Rings come from the errands' thread.
  void wait_until(const std::function<bool()>& holds) {
    const SystemClock clock;
    const Instant deadline = clock.now() + std::chrono::seconds(10);
    while (!holds() && clock.now() < deadline) board.turn();
    REQUIRE(holds());
  }

  static constexpr std::uint32_t kTable = 7;
  std::uint64_t lsn = 0x1000;
  std::string wal;
  Port port;
  std::atomic<int> looks{0};
  JobsBoard board;
  Asker asker{};
};

JobRow job(const std::string& status) {
  JobRow row;
  row.id = "j";
  row.task_id = "mail";
  row.status = status;
  return row;
}

TEST_CASE("jobs: who is not known and not in the database is not found", "[jobs]") {
  Bench bench;
  bench.snapshot();
  bench.join("j");
  bench.wait_until([&] { return !bench.port.said.empty(); });
  CHECK(bench.port.said == std::vector<std::string>{"data: {\"error\":\"not_found\"}\n\n|"});
}

TEST_CASE("jobs: an ended job is one frame, the place first, and the end", "[jobs]") {
  Bench bench(job("completed"));
  bench.snapshot();
  bench.join("j");
  bench.wait_until([&] { return !bench.port.said.empty(); });
  CHECK(bench.port.said[0] ==
        "id: 0000000000000063-FFFFFFFF\ndata: {\"id\":\"j\",\"taskId\":\"mail\","
        "\"status\":\"completed\",\"payload\":null,\"result\":null,\"error\":null,"
        "\"startedAt\":null,\"completedAt\":null,\"createdAt\":null}\n\n|");
}

TEST_CASE("jobs: one that waits in the database alone is told only before a snapshot", "[jobs]") {
  const bool whole = GENERATE(false, true);
  Bench bench(job("pending"));
  if (whole) bench.snapshot();
  bench.join("j");
  bench.wait_until([&] { return bench.looks == 1 && (whole || !bench.port.said.empty()); });
  CHECK(bench.port.said.size() == (whole ? 0u : 1u));
}

std::string frame(const Bench& bench, const std::string& id, const std::string& status) {
  return "id: " + Position{bench.lsn, 0}.text() + "\ndata: {\"id\":\"" + id +
         "\",\"taskId\":\"mail\",\"status\":\"" + status +
         "\",\"payload\":null,\"result\":null,\"error\":null,\"startedAt\":null,"
         "\"completedAt\":null,\"createdAt\":null}\n\n";
}

TEST_CASE("jobs: rows beyond the limit are known, and looked up when somebody asks", "[jobs]") {
  JobRow stored = job("pending");
  stored.id = "c";
  Bench bench(stored, /*row_bytes_max=*/400);
  bench.snapshot();
  bench.put("a", "pending");
  const std::string a = frame(bench, "a", "pending");
  bench.put("b", "pending");
  REQUIRE(2 * a.size() <= 400);
  REQUIRE(3 * a.size() > 400);
  bench.put("c", "pending");  // no room
  CHECK(*bench.board.unfinished_count() == 3);
  bench.join("a");
  CHECK(bench.take_said() == std::vector<std::string>{a});
  CHECK(bench.looks == 0);
  bench.join("c");
  bench.wait_until([&] { return !bench.port.said.empty(); });
  CHECK(bench.take_said() == std::vector<std::string>{frame(bench, "c", "pending")});
  CHECK(bench.looks == 1);
  // Who follows it hears its changes all the same; and one that ends makes room.
  bench.put("c", "active");
  CHECK(bench.take_said() == std::vector<std::string>{frame(bench, "c", "active")});
  bench.put("b", "completed");
  bench.put("c", "active");
  const std::string c = frame(bench, "c", "active");
  bench.take_said();
  bench.join("c");
  CHECK(bench.take_said() == std::vector<std::string>{c});
  CHECK(bench.looks == 1);
  CHECK(*bench.board.unfinished_count() == 2);
}

TEST_CASE("jobs: a row that changes a thousand times counts once", "[jobs]") {
  Bench bench(std::nullopt, /*row_bytes_max=*/400);
  bench.snapshot();
  for (int i = 0; i < 1'000; ++i) bench.put("a", "active");
  bench.put("b", "active");
  const std::string b = frame(bench, "b", "active");
  bench.join("b");
  CHECK(bench.take_said() == std::vector<std::string>{b});
  CHECK(bench.looks == 0);
}

TEST_CASE("jobs: TRUNCATE tells every watcher not_found, and no row is left", "[jobs]") {
  Bench bench;
  bench.snapshot();
  bench.put("a", "pending");
  bench.put("b", "active");
  bench.join("a");
  bench.join("b");
  bench.take_said();
  bench.truncate();
  const std::string gone = "data: {\"error\":\"not_found\"}\n\n|";
  CHECK(bench.take_said() == std::vector<std::string>{gone, gone});
  CHECK(*bench.board.unfinished_count() == 0);
  bench.put("a", "pending");
  CHECK(*bench.board.unfinished_count() == 1);
}

TEST_CASE("jobs: a new job is answered with its id, or with what is wrong", "[jobs]") {
  Bench bench;
  bench.board.ask(bench.asker, Question{.name = "mail", .text = "1"});
  bench.board.ask(bench.asker, Question{.name = "gone", .text = "0"});
  bench.wait_until([&] { return bench.port.answers.size() == 2; });
  CHECK(bench.port.answers[0].status == 200);
  CHECK(bench.port.answers[0].body == "{\"id\":\"id-of-1\"}\n");
  CHECK(bench.port.answers[1].status == 404);
}

}  // namespace

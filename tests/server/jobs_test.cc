// The jobs board with scripted records: what each watcher is told, and when nobody is asked.
#include <catch2/catch.hpp>

#include "archive/bodies.h"
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
  explicit Bench(std::optional<JobRow> in_database = std::nullopt)
      : board({.look = [this, in_database](const std::string&) -> Result<std::optional<JobRow>> {
                 ++looks;
                 return in_database;
               },
               .send = [](const std::string&, const std::string& data) -> Result<std::string> {
                 if (data == "0") return fail(Code::refused, "there is no such queue");
                 return "id-of-" + data;
               }}) {
    REQUIRE(board.open(port));
  }
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

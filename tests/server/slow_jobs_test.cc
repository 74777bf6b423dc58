// One job whose row changes again and again, and a watcher that does not read: the row's other
// watcher has each change before the next is made, and the slow one is told and closed.
#include <array>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "archive/bodies.h"
#include "integration/patience.h"
#include "proto/pgoutput_writer.h"
#include "server/http_client.h"
#include "server/jobs_board.h"
#include "server/jobs_endpoint.h"
#include "server/jump_clock.h"
#include "server/slow_clients.h"
#include "server/topics_server.h"

using namespace rt;
using namespace rt::server;
using namespace rt::test;

namespace {

// The WAL of a table of jobs with one row. put() on any thread.
class OneJob final : public Source {
 public:
  OneJob() {
    const std::string consistent_point = archive::encode_json({100, "s"});
    batch_.append({.kind = RecordKind::snapshot_begin, .body = consistent_point});
    batch_.append({.kind = RecordKind::snapshot_end, .lsn = 100, .body = {}});
    const std::array<pgoutput::Column, 4> columns = {
        {{1, "id", 25, -1}, {0, "task_id", 25, -1}, {0, "status", 25, -1}, {0, "payload", 25, -1}}};
    pgoutput::append_relation(wal_, kTable, "public", "job_runs", 'f', columns);
    end_message();
  }
  void put(const std::string& payload) {
    using pgoutput::ValueKind;
    const std::array<pgoutput::Value, 4> row = {{{ValueKind::text, "j"},
                                                 {ValueKind::text, "mail"},
                                                 {ValueKind::text, "active"},
                                                 {ValueKind::text, payload}}};
    const std::lock_guard lock(mutex_);
    lsn_ += 0x10;
    pgoutput::append_begin(wal_, {.final_lsn = lsn_, .commit_time = {}, .xid = 1});
    end_message();
    pgoutput::append_insert(wal_, kTable, row);
    end_message();
    pgoutput::append_commit(wal_, {.commit_lsn = lsn_, .end_lsn = lsn_ + 8, .commit_time = {}});
    end_message();
    put_.notify_one();
  }
  Result<void> run(std::stop_token stop, const Take& take) override {
    std::unique_lock lock(mutex_);
    while (put_.wait(lock, stop, [this] { return !batch_.empty(); })) {
      RT_CHECKED(take(batch_));
      batch_.clear();
    }
    return {};
  }

 private:
  void end_message() {
    batch_.append({.kind = RecordKind::wal, .body = wal_});
    wal_.clear();
  }

  static constexpr std::uint32_t kTable = 7;
  std::mutex mutex_;
  std::condition_variable_any put_;
  std::uint64_t lsn_ = 0x1000;
  std::string wal_;
  RecordBatch batch_;
};

std::unique_ptr<Server> start(const Clock& clock) {
  ServerOptions options;
  options.listen = *io::parse_address("127.0.0.1:0");
  options.connections_max = 100;
  options.runs = false;
  SurfaceParts jobs;
  jobs.surface = Surface::jobs;
  jobs.endpoint = std::make_shared<JobsEndpoint>(JobsHttp{});
  jobs.board = std::make_unique<JobsBoard>(JobsBoard::Options{
      .look = [](const std::string&) -> Result<std::optional<JobRow>> { return std::nullopt; },
      .send = [](const std::string&, const std::string&) -> Result<std::string> {
        return fail(Code::refused, "there is no such queue");
      }});
  options.surfaces.push_back(std::move(jobs));
  return start_server(std::move(options), clock);
}

}  // namespace

TEST_CASE("slow jobs: a watcher that does not read its job is told and closed, the other goes on",
          "[server][slow][jobs]") {
  const JumpClock clock;
  const auto server = start(clock);
  OneJob job;
  const std::jthread feeding([&](const std::stop_token& stop) { (void)server->feed(job, stop); });
  job.put(data_of(0));
  // Who asks before the server has read of the job is told that there is none.
  REQUIRE(eventually(std::chrono::seconds(10), [&] {
    HttpClient early(server->address());
    early.get("/jobs/j/stream");
    return early.until(mark(0)).find(mark(0)) != std::string::npos;
  }));
  HttpClient stalled(server->address(), 4096);
  HttpClient quick(server->address());
  for (HttpClient* const watcher : {&stalled, &quick}) {
    watcher->get("/jobs/j/stream");
    watcher->until(mark(0));
  }
  std::size_t n = 1;
  for (; n < kEventsMax && server->counters().slow_disconnects == 0; ++n) {
    job.put(data_of(n));
    REQUIRE(quick.until_true([&] {
      return quick.received().find(mark(n)) != std::string::npos &&
             quick.received().ends_with("\n\n");
    }));
    quick.forget();
  }
  CHECK(server->counters().slow_disconnects == 1);
  CHECK(eventually(std::chrono::seconds(10), [&] { return server->counters().subscribers == 1; }));
  const std::string& all = stalled.until_closed();
  REQUIRE(stalled.closed());
  CHECK(all.size() < kOwedMax);
  REQUIRE(all.ends_with("\n\n" + kTooSlow));
  const auto numbers = numbers_in(all);
  CHECK(numbers.size() < n);
  for (std::size_t i = 0; i < numbers.size(); ++i) REQUIRE(numbers[i] == i);
}

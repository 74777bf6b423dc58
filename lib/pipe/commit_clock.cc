#include "pipe/commit_clock.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "io/wakeup.h"
#include "pg/connection.h"
#include "pg/names.h"
#include "pg/replication.h"
#include "pg/slot.h"
#include "proto/pgoutput.h"
#include "proto/standby_status.h"

namespace rt {
namespace {

// A commit time is needed when its delivery is looked up, some 20 ms later; a burst that has
// gathered costs half the processor time of messages read one by one.
constexpr Duration kNap = std::chrono::milliseconds(2);
constexpr int kClockProbes = 16;

constexpr Duration kBetweenProbes = std::chrono::milliseconds(250);

Result<bool> is_on_this_host(Connection& connection) {
  const Rows same =
      RT_TRY(connection.query("SELECT coalesce(inet_server_addr() = inet_client_addr(), true)",
                              "cannot ask where the database is"));
  return same.text(0, 0) == "t";
}

Result<std::string> find_publication(Connection& connection, const TableName& table,
                                     const std::string& preferred) {
  const Rows rows = RT_TRY(connection.query(
      fmt::format("SELECT pubname FROM pg_catalog.pg_publication_tables WHERE schemaname = {} AND "
                  "tablename = {} ORDER BY pubname = {} DESC, pubname LIMIT 1",
                  connection.literal(table.schema), connection.literal(table.table),
                  connection.literal(preferred)),
      "cannot look for a publication"));
  if (rows.size() == 0) {
    return fail(Code::refused, fmt::format("no publication holds table {}", table.text()),
                "rtctl setup creates table and publication");
  }
  return std::string(rows.text(0, 0));
}

// The database's clock beside ours, from a thread of its own once it is followed.
class DatabaseClock {
 public:
  DatabaseClock(Connection connection, const Clock& clock)
      : connection_(std::move(connection)), clock_(clock) {}
  ~DatabaseClock() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    ended_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  Result<void> follow() {
    for (int i = 0; i < kClockProbes; ++i) RT_CHECKED(ask());
    error_max_us_ = probe_.result(clock_.now()).error_us;
    thread_ = std::thread([this] { run(); });
    return {};
  }

  // Whatever happens to the thread: an offset that is not renewed becomes ever less certain.
  ClockOffset offset() {
    const std::lock_guard lock(mutex_);
    ClockOffset now = probe_.result(clock_.now());
    error_max_us_ = std::max(error_max_us_, now.error_us);
    now.error_us = error_max_us_;
    return now;
  }

 private:
  Result<void> ask() {
    const std::int64_t before = unix_us(clock_.wall());
    const Rows now = RT_TRY(
        connection_.query("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text",
                          "cannot compare clocks"));
    const std::int64_t after = unix_us(clock_.wall());
    const std::lock_guard lock(mutex_);
    probe_.take(before, std::stoll(std::string(now.text(0, 0))), after, clock_.now());
    return {};
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (!ended_.wait_for(lock, kBetweenProbes, [this] { return over_; })) {
      lock.unlock();
      const bool answered = ask().has_value();
      lock.lock();
      if (!answered) return;
    }
  }

  Connection connection_;  // the thread's, once it runs
  const Clock& clock_;
  std::mutex mutex_;  // of what follows
  std::condition_variable ended_;
  bool over_ = false;
  ClockProbe probe_;
  std::int64_t error_max_us_ = 0;
  std::thread thread_;
};

}  // namespace

struct CommitClock::State {
  State(io::Wakeup cancel_wakeup, const Clock& host_clock)
      : cancel(std::move(cancel_wakeup)), clock(host_clock) {}

  void run(ReplicationStream& stream);
  Result<void> read(ReplicationStream& stream);

  io::Wakeup cancel;
  const Clock& clock;
  std::unique_ptr<DatabaseClock> database;  // none: its clock is ours
  StandbyStatus::Timing timing;
  std::uint64_t start_lsn = 0;
  std::vector<Commit> fresh;  // the thread's
  std::atomic<bool> stopped{false};

  std::mutex mutex;  // guards what follows; held for a swap, a few hundred times a second
  std::vector<Commit> known;
  std::optional<Error> fault;

  std::thread thread;
};

void CommitClock::State::run(ReplicationStream& stream) {
  const Result<void> ended = read(stream);
  const std::lock_guard lock(mutex);
  if (!ended && !stopped) fault = ended.error();
}

Result<void> CommitClock::State::read(ReplicationStream& stream) {
  StandbyStatus status(timing, start_lsn, clock.now());
  while (!stopped) {
    for (;;) {
      const auto copy_data = RT_TRY(stream.next());
      if (!copy_data) break;
      const StreamMessage message = RT_TRY(decode_stream_message(*copy_data));
      status.received(message, clock.now());
      if (message.kind != StreamMessage::Kind::wal || message.payload.empty()) continue;
      if (message.payload.front() != 'B') continue;
      const auto decoded = pgoutput::decode(message.payload);
      if (!decoded) continue;
      if (const auto* begin = std::get_if<pgoutput::Begin>(&decoded.message)) {
        fresh.push_back({begin->final_lsn, begin->commit_time.unix_us()});
      }
    }
    status.confirmed(status.resume_lsn());  // nothing is kept, so nothing needs to come again
    if (!fresh.empty()) {
      const std::lock_guard lock(mutex);
      known.insert(known.end(), fresh.begin(), fresh.end());
      fresh.clear();
    }
    const Instant now = clock.now();
    switch (status.due(now)) {
      case StandbyStatus::Due::nothing:
        break;
      case StandbyStatus::Due::dead:
        return fail(Code::unreachable, "the database stopped talking to the commit clock's slot");
      case StandbyStatus::Due::status:
      case StandbyStatus::Due::status_with_reply_request: {
        const bool ask = status.due(now) == StandbyStatus::Due::status_with_reply_request;
        RT_CHECKED(stream.send_status(status.take(now, ask), unix_us(clock.wall()), ask));
        break;
      }
    }
    RT_CHECKED(stream.wait(status.next_due()));
    stream.nap(kNap);
    RT_CHECKED(stream.fill());
  }
  return {};
}

Result<std::unique_ptr<CommitClock>> CommitClock::open(const std::string& dsn,
                                                       const std::string& table,
                                                       const std::string& publication,
                                                       bool always_probe, const Clock& clock) {
  const TableName name = RT_TRY(parse_table_name(table));
  auto state = std::make_unique<State>(RT_TRY(io::Wakeup::create()), clock);
  ConnectOptions options;
  options.application_name = "rtbench commit clock";
  options.cancel_fd = state->cancel.fd();
  Connection plain = RT_TRY(Connection::connect(dsn, options));
  StreamStart start;
  start.publication = RT_TRY(find_publication(plain, name, publication));
  // Temporary slots end with their session; the process number keeps two runs apart.
  start.slot = fmt::format("rtbench_clock_{}", ::getpid());
  start.messages = false;
  if (always_probe || !RT_TRY(is_on_this_host(plain))) {
    state->database = std::make_unique<DatabaseClock>(std::move(plain), clock);
    RT_CHECKED(state->database->follow());
  }
  options.replication = true;
  Connection connection = RT_TRY(Connection::connect(dsn, options));
  state->timing = StandbyStatus::timing_for(RT_TRY(wal_sender_timeout(connection)));
  start.start_lsn = RT_TRY(create_slot(connection, {.name = start.slot, .temporary = true}));
  state->start_lsn = start.start_lsn;
  auto stream = std::make_shared<ReplicationStream>(
      RT_TRY(ReplicationStream::start(std::move(connection), start)));
  state->thread = std::thread([raw = state.get(), stream] { raw->run(*stream); });
  return std::unique_ptr<CommitClock>(new CommitClock(std::move(state)));
}

CommitClock::CommitClock(std::unique_ptr<State> state) : state_(std::move(state)) {}

CommitClock::~CommitClock() {
  state_->stopped = true;
  state_->cancel.ring();
  state_->thread.join();
}

void CommitClock::take(std::vector<Commit>& out) {
  const std::lock_guard lock(state_->mutex);
  out.insert(out.end(), state_->known.begin(), state_->known.end());
  state_->known.clear();
}

std::optional<Error> CommitClock::fault() {
  const std::lock_guard lock(state_->mutex);
  return state_->fault;
}

ClockOffset CommitClock::offset() const {
  return state_->database ? state_->database->offset() : ClockOffset{};
}

}  // namespace rt

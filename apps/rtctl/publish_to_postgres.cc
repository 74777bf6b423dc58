#include "rtctl/publish_to_postgres.h"

#include <fmt/format.h>

#include <optional>

#include "pg/connection.h"
#include "pg/names.h"
#include "rtctl/run_row.h"

namespace rt::rtctl {
namespace {

// Holds the connection: made when first needed, and anew after it was lost.
class PostgresSink : public PublishSink {
 public:
  explicit PostgresSink(PostgresTarget target) : target_(std::move(target)) {}

  Result<void> connect() override {
    if (connection_) return {};
    ConnectOptions options;
    options.application_name = "rtctl publish";
    options.cancel_fd = target_.cancel_fd;
    connection_ = RT_TRY(Connection::connect(target_.dsn, options));
    const Result<void> begun = begin(*connection_);
    if (!begun) connection_.reset();
    return begun;
  }

  Result<PublishReceipt> send(const PublishMessage& message) override {
    RT_CHECKED(connect());
    auto done = execute(*connection_, message);
    if (done) return done;
    const Code code = done.error().code;
    if (code == Code::unreachable || code == Code::cancelled) connection_.reset();
    return done;
  }

 protected:
  // Right after each connect.
  virtual Result<void> begin(Connection&) { return {}; }
  virtual Result<PublishReceipt> execute(Connection& connection, const PublishMessage& message) = 0;

 private:
  PostgresTarget target_;
  std::optional<Connection> connection_;
};

class NotifySink final : public PostgresSink {
 public:
  NotifySink(PostgresTarget target, std::string channel)
      : PostgresSink(std::move(target)), channel_(std::move(channel)) {}

 private:
  Result<PublishReceipt> execute(Connection& connection, const PublishMessage& message) override {
    RT_TRY(connection.query("select pg_notify($1, $2)", {channel_, message.body},
                            fmt::format("cannot notify \"{}\"", channel_)));
    return PublishReceipt{};
  }

  std::string channel_;
};

class RunSink final : public PostgresSink {
 public:
  RunSink(PostgresTarget target, std::string table)
      : PostgresSink(std::move(target)), table_(std::move(table)) {}

 private:
  Result<PublishReceipt> execute(Connection& connection, const PublishMessage& message) override {
    const TableName table = RT_TRY(parse_table_name(table_));
    const RunRow row = RT_TRY(parse_run_row(message.body));
    Parameters values;
    for (const RunRow::Column& column : row.columns) values.push_back(column.value);
    auto done = connection.query(
        upsert_sql(row, table.quoted()), values,
        fmt::format("cannot publish run \"{}\" to table {}", row.id(), table.text()));
    if (done) return PublishReceipt{};
    Error error = std::move(done).error();
    const bool no_table = error.text.find("(42P01)") != std::string::npos;  // undefined_table
    if (no_table) error.hint = "\"rtctl setup\" creates the run table";
    return fail(std::move(error));
  }

  std::string table_;
};

class JobSink final : public PostgresSink {
 public:
  JobSink(PostgresTarget target, std::string schema, NewJob job)
      : PostgresSink(std::move(target)), schema_(std::move(schema)), job_(std::move(job)) {}

 private:
  Result<void> begin(Connection& connection) override {
    queue_ = RT_TRY(JobQueue::open(connection, schema_));
    return {};
  }
  Result<PublishReceipt> execute(Connection& connection, const PublishMessage& message) override {
    NewJob job = job_;
    job.data = message.body;
    return PublishReceipt{RT_TRY(queue_->send(connection, job)), {}};
  }

  std::string schema_;
  NewJob job_;
  std::optional<JobQueue> queue_;
};

}  // namespace

std::unique_ptr<PublishSink> publish_to_notify(PostgresTarget target, std::string channel) {
  return std::make_unique<NotifySink>(std::move(target), std::move(channel));
}

std::unique_ptr<PublishSink> publish_to_runs(PostgresTarget target, std::string table) {
  return std::make_unique<RunSink>(std::move(target), std::move(table));
}

std::unique_ptr<PublishSink> publish_to_pgboss(PostgresTarget target, std::string schema,
                                               NewJob job) {
  return std::make_unique<JobSink>(std::move(target), std::move(schema), std::move(job));
}

}  // namespace rt::rtctl

#include "rtctl/publish_to_postgres.h"

#include <fmt/format.h>

#include <optional>

#include "pg/connection.h"
#include "pg/names.h"
#include "rtctl/run_row.h"

namespace rt::rtctl {
namespace {

class RunSink final : public PostgresPublishSink {
 public:
  RunSink(PublishDatabase target, std::string table)
      : PostgresPublishSink(std::move(target)), table_(std::move(table)) {}

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

class JobSink final : public PostgresPublishSink {
 public:
  JobSink(PublishDatabase target, std::string schema, NewJob job)
      : PostgresPublishSink(std::move(target)), schema_(std::move(schema)), job_(std::move(job)) {}

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

std::unique_ptr<PublishSink> publish_to_runs(PublishDatabase target, std::string table) {
  return std::make_unique<RunSink>(std::move(target), std::move(table));
}

std::unique_ptr<PublishSink> publish_to_pgboss(PublishDatabase target, std::string schema,
                                               NewJob job) {
  return std::make_unique<JobSink>(std::move(target), std::move(schema), std::move(job));
}

}  // namespace rt::rtctl

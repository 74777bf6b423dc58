// Publishes events as status changes of pg-boss jobs: one UPDATE each, to and fro between waiting
// and active, the payload in the job's data. A topic is one job, of a queue of this tool's own that
// no worker takes from. The triggers of "rtctl jobs setup" turn each into a row of job_runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pg/job_schema.h"
#include "pipe/statement_producer.h"

namespace rt {

struct JobProducerOptions {
  std::string dsn;
  std::string schema = "pgboss";
  unsigned connections = 4;
};

class JobProducer final : public StatementProducer {
 public:
  static Result<std::unique_ptr<JobProducer>> open(const JobProducerOptions& options,
                                                   const Clock& clock);

  // Makes the queue and its jobs anew. A topic's name is its job's id, a UUID.
  Result<void> prepare(std::uint32_t topics,
                       const std::function<std::string(std::uint32_t)>& name_of,
                       std::string_view initial) override;
  void send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) override;

 private:
  JobProducer(JobProducerOptions options, JobSchema schema, StatementLanes lanes)
      : StatementProducer(std::move(lanes)),
        options_(std::move(options)),
        schema_(std::move(schema)) {}

  JobProducerOptions options_;
  JobSchema schema_;
  std::vector<bool> active_;  // by topic
};

}  // namespace rt

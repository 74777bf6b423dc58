// Publishes events as status changes of pg-boss jobs: one UPDATE each, to and fro between waiting
// and active, the payload in the job's data. A topic is one job, of a queue of this tool's own that
// no worker takes from. The triggers of "rtctl jobs setup" turn each into a row of job_runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pg/job_schema.h"
#include "pipe/event_producer.h"
#include "pipe/statement_lanes.h"

namespace rt {

struct JobProducerOptions {
  std::string dsn;
  std::string schema = "pgboss";
  unsigned connections = 4;
};

class JobProducer final : public EventProducer {
 public:
  static Result<std::unique_ptr<JobProducer>> open(const JobProducerOptions& options,
                                                   const Clock& clock);

  // Makes the queue and its jobs anew. A topic's name is its job's id, a UUID.
  Result<void> prepare(std::uint32_t topics,
                       const std::function<std::string(std::uint32_t)>& name_of,
                       std::string_view initial) override;
  void send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) override;
  Result<void> turn(Instant until, std::vector<Answer>& answers) override {
    return lanes_.turn(until, answers);
  }
  const std::string& first_failure() const override { return lanes_.first_failure(); }

 private:
  JobProducer(JobProducerOptions options, JobSchema schema, StatementLanes lanes)
      : options_(std::move(options)), schema_(std::move(schema)), lanes_(std::move(lanes)) {}

  JobProducerOptions options_;
  JobSchema schema_;
  StatementLanes lanes_;
  std::function<std::string(std::uint32_t)> name_of_;
  std::vector<bool> active_;  // by topic
};

}  // namespace rt

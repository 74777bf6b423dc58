// Publishes events as row changes of the run table: one UPDATE each, each a transaction of its own.
// A topic is one row.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipe/event_producer.h"
#include "pipe/statement_lanes.h"

namespace rt {

struct RowProducerOptions {
  std::string dsn;
  std::string table = "task_run";
  unsigned connections = 4;
};

class RowProducer final : public EventProducer {
 public:
  static Result<std::unique_ptr<RowProducer>> open(const RowProducerOptions& options,
                                                   const Clock& clock);

  // Inserts the rows, or sets those that exist to `initial`.
  Result<void> prepare(std::uint32_t topics,
                       const std::function<std::string(std::uint32_t)>& name_of,
                       std::string_view initial) override;
  void send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) override;
  Result<void> turn(Instant until, std::vector<Answer>& answers) override {
    return lanes_.turn(until, answers);
  }
  const std::string& first_failure() const override { return lanes_.first_failure(); }

 private:
  RowProducer(RowProducerOptions options, StatementLanes lanes)
      : options_(std::move(options)), lanes_(std::move(lanes)) {}

  RowProducerOptions options_;
  StatementLanes lanes_;
  std::function<std::string(std::uint32_t)> name_of_;
};

}  // namespace rt

// Publishes events as row changes of the run table: one UPDATE each, each a transaction of its own.
// A topic is one row.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipe/statement_producer.h"

namespace rt {

struct RowProducerOptions {
  std::string dsn;
  std::string table = "task_run";
  unsigned connections = 4;
};

class RowProducer final : public StatementProducer {
 public:
  static Result<std::unique_ptr<RowProducer>> open(const RowProducerOptions& options,
                                                   const Clock& clock);

  // Inserts the rows, or sets those that exist to `initial`.
  Result<void> prepare(std::uint32_t topics,
                       const std::function<std::string(std::uint32_t)>& name_of,
                       std::string_view initial) override;
  void send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) override;

 private:
  RowProducer(RowProducerOptions options, StatementLanes lanes)
      : StatementProducer(std::move(lanes)), options_(std::move(options)) {}

  RowProducerOptions options_;
};

}  // namespace rt

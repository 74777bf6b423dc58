// Publishes events as new rows of the run table. A topic is a tag, which its subscribers ask for;
// each event is a row of its own. Rows that are due together and whose topics share a connection
// are one INSERT, up to `batch` of them; nothing waits for more to come.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipe/statement_producer.h"

namespace rt {

struct InsertProducerOptions {
  std::string dsn;
  std::string table = "task_run";
  unsigned connections = 4;
  std::size_t batch = 1;  // rows of one statement at most, each a transaction
};

class InsertProducer final : public StatementProducer {
 public:
  static Result<std::unique_ptr<InsertProducer>> open(const InsertProducerOptions& options,
                                                      const Clock& clock);

  // Deletes what earlier runs inserted; topics need no preparation.
  Result<void> prepare(std::uint32_t topics,
                       const std::function<std::string(std::uint32_t)>& name_of,
                       std::string_view initial) override;
  void send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) override;
  Result<void> turn(Instant until, std::vector<Answer>& answers) override;

 private:
  InsertProducer(InsertProducerOptions options, StatementLanes lanes)
      : StatementProducer(std::move(lanes)),
        options_(std::move(options)),
        waiting_(lanes_.count()) {}
  void flush(std::size_t lane);

  InsertProducerOptions options_;
  std::vector<std::vector<std::uint64_t>> waiting_;  // tickets by lane, not sent yet
};

}  // namespace rt

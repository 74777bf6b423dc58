// Publishes events as row changes of the run table: one UPDATE each, each a transaction of its own,
// over several connections in pipeline mode. A topic is one row and belongs to one connection, so
// its changes commit in the order in which they were sent.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipe/event_producer.h"

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
  ~RowProducer() override;

  // Inserts the rows, or sets those that exist to `initial`.
  Result<void> prepare(std::uint32_t topics,
                       const std::function<std::string(std::uint32_t)>& name_of,
                       std::string_view initial) override;
  void send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) override;
  Result<void> turn(Instant until, std::vector<Answer>& answers) override;
  const std::string& first_failure() const override { return first_failure_; }

 private:
  struct Lane;  // one connection
  RowProducer(RowProducerOptions options, std::vector<std::unique_ptr<Lane>> lanes,
              const Clock& clock);
  Result<void> collect(Lane& lane, std::vector<Answer>& answers);
  void note_failure(std::string text);

  RowProducerOptions options_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  const Clock& clock_;
  std::function<std::string(std::uint32_t)> name_of_;
  std::string first_failure_;
  std::optional<Error> fault_;
};

}  // namespace rt

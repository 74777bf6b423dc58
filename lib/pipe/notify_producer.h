// Publishes events with NOTIFY: one pg_notify() each, each a transaction of its own. What is
// notified to nobody is gone; topics need no preparation.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipe/event_producer.h"
#include "pipe/event_text.h"
#include "pipe/statement_lanes.h"

namespace rt {

struct NotifyProducerOptions {
  std::string dsn;
  EventText channel;  // plain
  EventText body;     // json; PostgreSQL refuses more than 7,999 bytes
  unsigned connections = 4;
};

class NotifyProducer final : public EventProducer {
 public:
  static Result<std::unique_ptr<NotifyProducer>> open(const NotifyProducerOptions& options,
                                                      const Clock& clock);

  Result<void> prepare(std::uint32_t topics,
                       const std::function<std::string(std::uint32_t)>& name_of,
                       std::string_view initial) override;
  void send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) override;
  Result<void> turn(Instant until, std::vector<Answer>& answers) override {
    return lanes_.turn(until, answers);
  }
  const std::string& first_failure() const override { return lanes_.first_failure(); }

 private:
  NotifyProducer(NotifyProducerOptions options, StatementLanes lanes)
      : options_(std::move(options)), lanes_(std::move(lanes)) {}

  NotifyProducerOptions options_;
  StatementLanes lanes_;
  std::function<std::string(std::uint32_t)> name_of_;
};

}  // namespace rt

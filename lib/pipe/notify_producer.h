// Publishes events with NOTIFY: one pg_notify() each, each a transaction of its own. What is
// notified to nobody is gone; topics need no preparation.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipe/event_text.h"
#include "pipe/statement_producer.h"

namespace rt {

struct NotifyProducerOptions {
  std::string dsn;
  EventText channel;  // plain
  EventText body;     // json; PostgreSQL refuses more than 7,999 bytes
  unsigned connections = 4;
};

class NotifyProducer final : public StatementProducer {
 public:
  static Result<std::unique_ptr<NotifyProducer>> open(const NotifyProducerOptions& options,
                                                      const Clock& clock);

  Result<void> prepare(std::uint32_t topics,
                       const std::function<std::string(std::uint32_t)>& name_of,
                       std::string_view initial) override;
  void send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) override;

 private:
  NotifyProducer(NotifyProducerOptions options, StatementLanes lanes)
      : StatementProducer(std::move(lanes)), options_(std::move(options)) {}

  NotifyProducerOptions options_;
};

}  // namespace rt

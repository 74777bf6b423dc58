// A producer whose events are statements on a database's lanes: what row, insert, notify and job
// producers have in common. One thread.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "pipe/event_producer.h"
#include "pipe/statement_lanes.h"

namespace rt {

class StatementProducer : public EventProducer {
 public:
  Result<void> turn(Instant until, std::vector<Answer>& answers) override {
    return lanes_.turn(until, answers);
  }
  const std::string& first_failure() const override { return lanes_.first_failure(); }

 protected:
  explicit StatementProducer(StatementLanes lanes) : lanes_(std::move(lanes)) {}

  StatementLanes lanes_;
  std::function<std::string(std::uint32_t)> name_of_;  // of a topic; given to prepare()
};

}  // namespace rt

// What publishes the events of a scenario, and what tells when they were committed.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "load/scenario.h"
#include "pipe/commit_times.h"
#include "pipe/event_producer.h"

namespace rt::rtbench {

struct Publishing {
  std::unique_ptr<EventProducer> producer;  // none: the scenario publishes nothing
  std::unique_ptr<CommitTimes> commits;     // none: no database's clock stands in event ids
};

// Connects; addresses that the scenario leaves out come from the environment.
Result<Publishing> open_publishing(const Scenario& scenario, const Clock& clock);

}  // namespace rt::rtbench

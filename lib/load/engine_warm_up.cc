// The end of a phase: known from its beginning, or found while it lasts ("until": "stationary").
#include "load/engine_run.h"

namespace rt {

// Told ahead, so that events are cut at the very instant.
void EngineRun::announce_end() {
  end_announced_ = true;
  if (!publisher_) return;
  const std::size_t index = phases_.index();
  const std::size_t end = scenario_.publish_end();
  if (index < scenario_.publish_begin() || index >= end) return;
  if (index + 1 == end) {
    publisher_->end(phases_.end());
    publishing_ended_ = true;
  } else {
    publisher_->phase_begins(phases_.end(), index + 1);
  }
}

// A phase that lasts until latencies have settled ends when they have, or at its `max`. One of
// several shards cannot know when the others have: it waits for `max`, as they do.
void EngineRun::watch_warm_up(Instant now) {
  if (end_announced_ || !phases_.is_holding()) return;
  const bool settled = settling_.is_stationary();
  const bool may_end = now >= phases_.hold_begin() + phases_.spec().hold;
  if (settled && may_end && parts_.share.count == 1) {
    phases_.cut(now + PhaseRun::kLead);
  } else if (now + PhaseRun::kLead < phases_.end()) {
    return;
  }
  outcome_.phases[phases_.index()].stationary = settled;
  announce_end();
}

}  // namespace rt

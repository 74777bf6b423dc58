// The part of a shard that finds events which are not what was published (in runs that ask for it),
// or not what the stream asked for.
#include <fmt/format.h>

#include "load/payload_check.h"
#include "load/shard_events.h"

namespace rt {

// An event that is not as it was published is counted. If its numbers are, it arrived all the same;
// else nobody knows which one it was: it is none of the run's, and what was due is lost.
void Shard::Events::check_content(std::optional<Payload>& payload, std::string_view text,
                                  std::string_view rest) {
  if (!payload) {
    if (has_sums(text)) count_corrupt("an event that cannot be read");
    return;
  }
  const bool ours = payload->run == shard.plan_.run;
  switch (rt::check_content(*payload, rest)) {
    case Content::intact:
      return;
    case Content::altered:
      if (ours) count_corrupt(fmt::format("event {}", payload->sequence));
      return;
    case Content::mistaken:
      count_corrupt(fmt::format("an event that says it is {}", payload->sequence));
      break;
    case Content::unchecked:
      if (!ours) return;  // of a run that did not check
      count_corrupt(fmt::format("an event that says it is {}", payload->sequence));
      break;
  }
  payload.reset();
}

// What a stream brings of this run's beside what it asked for: another topic's, or what its filter
// does not let through.
void Shard::Events::count_unasked(const Payload& payload) {
  IntegrityCounts& counts = shard.counts_.integrity;
  if (counts.unasked++ != 0) return;
  counts.first_unasked =
      fmt::format("topic number {}, event {}, connection {}", payload.topic, payload.sequence,
                  shard.plan_.number_in_run(shard.number_of(number)));
}

void Shard::Events::count_corrupt(const std::string& which) {
  IntegrityCounts& counts = shard.counts_.integrity;
  if ((*counts.corrupt)++ != 0) return;
  counts.first_corrupt = fmt::format("topic {}, {}, connection {}", shard.topics_text(number),
                                     which, shard.plan_.number_in_run(shard.number_of(number)));
}

}  // namespace rt

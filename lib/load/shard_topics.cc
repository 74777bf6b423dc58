// The part of a shard that knows what each connection follows: one topic, or a few of them on one
// stream, each with an entry of its own in the ledger.
#include <fmt/format.h>

#include "load/shard_events.h"
#include "load/subscriptions.h"

namespace rt {

void Shard::list_topics() {
  if (plan_.topics_each == 1) return;
  topics_.reserve(slots_ * plan_.topics_each);
  for (std::size_t slot = 0; slot < slots_; ++slot) {
    for (std::uint32_t place = 0; place < plan_.topics_each; ++place) {
      topics_.push_back(plan_.topic_of(number_of(slot) * plan_.topics_each + place));
    }
  }
}

// "task-1", or "task-1,task-4,task-7".
std::string Shard::topics_text(std::size_t slot) const {
  if (topics_.empty()) return plan_.topic_name(plan_.topic_of(number_of(slot)));
  std::string text;
  for (std::uint32_t place = 0; place < plan_.topics_each; ++place) {
    const std::uint32_t topic = topics_[entry_of(slot, place)];
    if (topic == Subscriptions::kNone) break;
    if (!text.empty()) text += plan_.topic_separator;
    text += plan_.topic_name(topic);
  }
  return text;
}

// Nothing: the connection did not ask for that topic.
std::optional<std::uint32_t> Shard::place_of(std::size_t slot, const Payload& payload) const {
  if (topics_.empty()) {
    const bool is_own =
        payload.topic == Payload::kNoTopic || payload.topic == plan_.topic_of(number_of(slot));
    return is_own ? std::optional<std::uint32_t>(0) : std::nullopt;
  }
  for (std::uint32_t place = 0; place < plan_.topics_each; ++place) {
    const std::uint32_t topic = topics_[entry_of(slot, place)];
    if (topic == Subscriptions::kNone) break;
    if (topic == payload.topic) return place;
  }
  return std::nullopt;
}

void Shard::open_ledger(std::size_t slot, Baseline baseline, Instant now) {
  for (std::uint32_t place = 0; place < plan_.topics_each; ++place) {
    const std::size_t entry = entry_of(slot, place);
    if (!topics_.empty() && topics_[entry] == Subscriptions::kNone) break;
    ledger_.opened(entry, baseline, steady_ms(now));
  }
}

void Shard::write_request(std::string& out, std::size_t slot) {
  headers_.clear();
  plan_.headers.append_lines(headers_, plan_.number_in_run(number_of(slot)));
  plan_.target.append_request(out, topics_text(slot), plan_.run_filter,
                              claim_id(connections_[slot]), plan_.gzip, headers_);
}

std::string Shard::offender(std::size_t slot, std::uint32_t place, std::uint32_t sequence) const {
  const std::uint64_t connection = number_of(slot);
  const std::uint32_t topic = plan_.topic_of(connection * plan_.topics_each + place);
  return fmt::format("topic {}, event {}, connection {}", plan_.topic_name(topic), sequence,
                     plan_.number_in_run(connection));
}

}  // namespace rt

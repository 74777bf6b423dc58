#include "load/publication.h"

#include <algorithm>

#include "base/result.h"

namespace rt {

Publication::Publication(std::size_t topics, std::size_t phases)
    : topics_(topics), phases_(phases), ends_(topics * phases, 0), acknowledged_ms_(topics, 0) {
  RT_CHECK(phases > 0);
}

std::uint32_t Publication::assign(std::uint32_t topic, std::size_t phase) {
  RT_CHECK(topic < topics_ && phase < phases_);
  const std::uint32_t sequence = last_of(topic, phase) + 1;
  ends_[topic * phases_ + phase] = sequence;
  return sequence;
}

void Publication::doubt(std::uint32_t topic, std::uint32_t sequence) {
  doubts_[topic].push_back({sequence, false});
}

std::uint32_t Publication::last_of(std::uint32_t topic, std::size_t phase) const {
  const std::uint32_t* ends = &ends_[topic * phases_];
  for (std::size_t p = phase + 1; p > 0; --p) {
    if (ends[p - 1] != 0) return ends[p - 1];
  }
  return 0;
}

std::size_t Publication::phase_of(std::uint32_t topic, std::uint32_t sequence) const {
  const std::uint32_t* ends = &ends_[topic * phases_];
  for (std::size_t p = 0; p < phases_; ++p) {
    if (sequence <= ends[p]) return p;
  }
  return phases_ - 1;
}

std::optional<std::uint32_t> Publication::acknowledged_ms(std::uint32_t topic) const {
  const std::uint32_t at_ms = acknowledged_ms_[topic];
  return at_ms == 0 ? std::nullopt : std::optional(at_ms);
}

std::span<Publication::Doubt> Publication::doubts(std::uint32_t topic) {
  const auto found = doubts_.find(topic);
  if (found == doubts_.end()) return {};
  return found->second;
}

std::span<const Publication::Doubt> Publication::doubts(std::uint32_t topic) const {
  const auto found = doubts_.find(topic);
  if (found == doubts_.end()) return {};
  return found->second;
}

std::uint32_t Publication::next_due(std::uint32_t topic, std::uint32_t after) const {
  std::uint32_t next = after + 1;
  // Doubts nearly ascend, as answers do: one pass passes over all that follow each other.
  for (bool moved = true; moved;) {
    moved = false;
    for (const Doubt& doubt : doubts(topic)) {
      if (doubt.seen || doubt.sequence != next) continue;
      ++next;
      moved = true;
    }
  }
  return next;
}

bool Publication::is_void(std::uint32_t topic, std::uint32_t sequence) const {
  const std::span<const Doubt> list = doubts(topic);
  return std::any_of(list.begin(), list.end(),
                     [&](const Doubt& doubt) { return doubt.sequence == sequence && !doubt.seen; });
}

}  // namespace rt

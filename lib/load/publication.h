// What was published, by topic: the truth that deliveries are held against.
// Each topic counts its events from 1 without a hole, so that "everything up to n" is one number.
// An event that was not acknowledged is kept apart, because it may or may not have been committed.
// Filled by the thread that publishes; read by others only after that thread has ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace rt {

class Publication {
 public:
  // An event without an acknowledgement. If any subscriber received it, it was committed after all,
  // and is due to the others as well.
  struct Doubt {
    std::uint32_t sequence = 0;
    bool seen = false;
  };

  // topics * (phases + 1) numbers of 4 bytes are kept.
  Publication(std::size_t topics, std::size_t phases);

  // Hands out the next sequence number of a topic, for an event due in `phase` (not decreasing).
  std::uint32_t assign(std::uint32_t topic, std::size_t phase);
  // An event of this topic, intended then, was taken. at_ms: of any clock that goes on.
  void acknowledge(std::uint32_t topic, std::uint32_t at_ms) { acknowledged_ms_[topic] = at_ms; }
  // The latest of those; nothing: none.
  std::optional<std::uint32_t> acknowledged_ms(std::uint32_t topic) const;
  // It was never sent, refused, or its answer never came.
  void doubt(std::uint32_t topic, std::uint32_t sequence);

  std::size_t topics() const { return topics_; }
  std::size_t phases() const { return phases_; }
  // The last sequence number handed out; 0: none.
  std::uint32_t last(std::uint32_t topic) const { return last_of(topic, phases_ - 1); }
  // The last one due in `phase` or before it. Phase p owns (last_of(p - 1), last_of(p)].
  std::uint32_t last_of(std::uint32_t topic, std::size_t phase) const;
  std::size_t phase_of(std::uint32_t topic, std::uint32_t sequence) const;

  std::span<Doubt> doubts(std::uint32_t topic);
  std::span<const Doubt> doubts(std::uint32_t topic) const;
  // In doubt, and received by nobody: not due to anybody.
  bool is_void(std::uint32_t topic, std::uint32_t sequence) const;
  // The first after that one which is due to anybody.
  std::uint32_t next_due(std::uint32_t topic, std::uint32_t after) const;

 private:
  std::size_t topics_;
  std::size_t phases_;
  std::vector<std::uint32_t> ends_;  // [topic * phases + phase]; 0: nothing due in that phase
  std::vector<std::uint32_t> acknowledged_ms_;                    // by topic; 0: nothing
  std::unordered_map<std::uint32_t, std::vector<Doubt>> doubts_;  // rare: failures only
};

}  // namespace rt

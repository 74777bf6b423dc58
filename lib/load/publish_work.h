// One entry of a scenario's "publish" as a pure function: when event n is due, which topic it is
// about, how large it is. Depends on (seed, entry, n), or on a recording, and nothing else.
// Immutable; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "load/payload.h"
#include "load/payload_template.h"
#include "load/scenario.h"
#include "load/schedule.h"
#include "pipe/archive_timeline.h"

namespace rt {

class PublishWork {
 public:
  // entry: of `entries` in the scenario. Each has topics of its own: those of its file, or those
  // whose number, divided by `entries`, leaves `entry`.
  PublishWork(const PublishSpec& spec, std::uint64_t topics, std::uint64_t seed,
              std::size_t entry = 0, std::size_t entries = 1,
              std::shared_ptr<const ArchiveTimeline> recording = nullptr);

  // Since publishing began; does not decrease. Duration::max(): no such event.
  Duration due(std::uint64_t n) const;
  std::uint32_t topic(std::uint64_t n) const;
  std::uint32_t bytes(std::uint64_t n) const;
  PayloadFiller filler(std::uint64_t n) const;
  std::uint32_t max_in_flight() const { return max_in_flight_; }
  // What the scenario wants in each payload; empty: nothing.
  const PayloadTemplate& value() const { return value_; }

 private:
  Schedule schedule_;
  TopicChoice choice_;
  SizeSpec size_;
  PayloadTemplate value_;
  bool names_topics_itself_;  // from a file, which no other entry shares
  std::uint32_t max_in_flight_;
  double entropy_;
  double speed_;
  std::uint64_t topics_;  // of this entry
  std::size_t entry_;
  std::size_t entries_;
  std::uint64_t size_stream_;
  std::uint64_t filler_stream_;
  std::shared_ptr<const ArchiveTimeline> recording_;
};

// Of every entry of the scenario; reads the recordings that it names.
Result<std::vector<PublishWork>> publish_works(const Scenario& scenario);

}  // namespace rt

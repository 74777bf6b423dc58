#include "load/publish_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "load/lognormal.h"

namespace rt {

PublishWork::PublishWork(const PublishSpec& spec, std::uint64_t topics, std::uint64_t seed,
                         std::size_t entry, std::size_t entries,
                         std::shared_ptr<const ArchiveTimeline> recording)
    : schedule_(spec.rate, spec.arrival, Random::of(seed, "entry", entry).next(), "publish",
                spec.burst),
      choice_(spec.topic, std::max<std::uint64_t>(1, (topics + entries - 1 - entry) / entries),
              Random::of(seed, "entry", entry).next(), "publish topics"),
      size_(spec.size),
      value_(spec.value),
      names_topics_itself_(spec.topic.kind == ChoiceKind::file),
      max_in_flight_(spec.max_in_flight),
      entropy_(spec.entropy),
      speed_(spec.archive_speed),
      topics_(std::max<std::uint64_t>(1, (topics + entries - 1 - entry) / entries)),
      entry_(entry),
      entries_(entries),
      size_stream_(Random::of(seed, "sizes", entry).next()),
      filler_stream_(Random::of(seed, "filler", entry).next()),
      recording_(std::move(recording)) {}

Duration PublishWork::due(std::uint64_t n) const {
  if (!recording_) return schedule_.due(n);
  if (n >= recording_->events.size()) return Duration::max();
  const double at_ns = static_cast<double>(recording_->events[n].at_us) * 1'000 / speed_;
  return Duration(std::llround(at_ns));
}

std::uint32_t PublishWork::topic(std::uint64_t n) const {
  if (names_topics_itself_) return static_cast<std::uint32_t>(choice_.of(n));
  const std::uint64_t own = recording_ ? recording_->events[n].key % topics_ : choice_.of(n);
  return static_cast<std::uint32_t>(own * entries_ + entry_);
}

std::uint32_t PublishWork::bytes(std::uint64_t n) const {
  if (recording_) return std::min(recording_->events[n].bytes, kPayloadBytesMax);
  if (size_.dist == SizeSpec::Dist::fixed) return size_.low;
  Random random = Random::of(size_stream_, {}, n);
  if (size_.dist == SizeSpec::Dist::uniform) {
    return size_.low + static_cast<std::uint32_t>(random.below(size_.high - size_.low + 1));
  }
  const double value = lognormal(size_.low, size_.high, random);
  return static_cast<std::uint32_t>(std::clamp(value, 1.0, double{kPayloadBytesMax}));
}

PayloadFiller PublishWork::filler(std::uint64_t n) const {
  return {entropy_, filler_stream_ + n};
}

Result<std::vector<PublishWork>> publish_works(const Scenario& scenario) {
  std::vector<PublishWork> works;
  const std::size_t entries = scenario.publish.size();
  for (std::size_t i = 0; i < entries; ++i) {
    const PublishSpec& spec = scenario.publish[i];
    std::shared_ptr<const ArchiveTimeline> recording;
    if (!spec.archive.empty()) {
      recording = std::make_shared<ArchiveTimeline>(RT_TRY(read_archive_timeline(spec.archive)));
    }
    works.emplace_back(spec, scenario.subscriptions.topics, scenario.seed, i, entries,
                       std::move(recording));
  }
  return works;
}

}  // namespace rt

#include "pipe/archive_timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "archive/bodies.h"
#include "base/clock.h"
#include "base/units.h"
#include "pipe/archive_source.h"
#include "pipe/wal_events.h"

namespace rt {
namespace {

using nlohmann::json;

// What an object is about: the first of these members that it has, as text.
std::string key_in(const json& object, std::initializer_list<const char*> names,
                   std::string otherwise) {
  if (!object.is_object()) return otherwise;
  for (const char* name : names) {
    const auto found = object.find(name);
    if (found == object.end() || found->is_null() || found->is_structured()) continue;
    return otherwise + '/' + (found->is_string() ? found->get<std::string>() : found->dump());
  }
  return otherwise;
}

class TimelineReader {
 public:
  Result<void> take(const RecordView& record) {
    if (record.prelude) return {};
    switch (record.kind) {
      case RecordKind::wal:
        RT_CHECKED(wal_.take(record, [&](const WalEvent& event) { take_row(event, record); }));
        return full();
      case RecordKind::sse:
        if (const auto body = archive::decode_sse(record.body)) {
          const json data = json::parse(body->data, nullptr, false);
          add(record.received_us,
              key_in(data, {"run_id", "id", "topic", "type"}, std::string(body->event)),
              body->data.size());
        }
        return full();
      case RecordKind::notify:
        if (const auto body = archive::decode_notify(record.body)) {
          take_message(record, body->channel, body->payload);
        }
        return full();
      case RecordKind::redis:
        if (const auto body = archive::decode_redis(record.body)) {
          take_message(record, body->channel, body->payload);
        }
        return full();
      default:
        return {};
    }
  }
  ArchiveTimeline finish() && {
    timeline_.keys = static_cast<std::uint32_t>(numbers_.size());
    return std::move(timeline_);
  }

 private:
  void take_row(const WalEvent& event, const RecordView& record) {
    if (event.name != "insert" && event.name != "update" && event.name != "delete") return;
    const json data = json::parse(event.data, nullptr, false);
    const json& row = data.contains("new") ? data["new"] : data.value("old", json());
    add(event.committed ? unix_us(*event.committed) : record.received_us,
        key_in(row, {"id"}, std::string(event.topic)), event.data.size());
  }
  void take_message(const RecordView& record, std::string_view channel, std::string_view payload) {
    const json data = json::parse(payload, nullptr, false);
    add(record.received_us, key_in(data, {"topic", "type"}, std::string(channel)), payload.size());
  }
  void add(std::int64_t at_us, std::string key, std::size_t bytes) {
    if (timeline_.events.size() >= kTimelineEventsMax) return;
    if (timeline_.events.empty()) first_us_ = at_us;
    last_us_ = std::max(last_us_, at_us - first_us_);
    const auto number = static_cast<std::uint32_t>(numbers_.size());
    const auto [at, is_new] = numbers_.try_emplace(std::move(key), number);
    timeline_.events.push_back({last_us_, at->second, static_cast<std::uint32_t>(bytes)});
  }
  Result<void> full() const {
    if (timeline_.events.size() < kTimelineEventsMax) return {};
    return fail(
        Code::usage,
        fmt::format("the recording has more than {} events", format_count(kTimelineEventsMax)),
        "take a shorter one");
  }

  WalEvents wal_{WalEventsOptions{}};
  ArchiveTimeline timeline_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::int64_t first_us_ = 0;
  std::int64_t last_us_ = 0;
};

}  // namespace

Result<ArchiveTimeline> read_archive_timeline(const std::string& path) {
  ArchiveSourceOptions options;
  options.path = path;
  options.pace.speed = kMaxSpeed;
  const SystemClock clock;
  ArchiveSource source(options, clock);
  TimelineReader reader;
  const Source::Take take = [&](RecordBatch& batch) -> Result<void> {
    for (std::size_t i = 0; i < batch.size(); ++i) RT_CHECKED(reader.take(batch[i]));
    return {};
  };
  RT_CHECKED(source.run({}, take));
  ArchiveTimeline timeline = std::move(reader).finish();
  if (timeline.events.empty()) {
    return fail(Code::usage, fmt::format("recording {} has no events", path),
                "rtreplay info shows what is in it");
  }
  return timeline;
}

}  // namespace rt

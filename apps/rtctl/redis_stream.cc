#include "rtctl/redis_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "archive/bodies.h"
#include "base/text.h"
#include "pipe/redis_source.h"
#include "pipe/redis_stream_source.h"
#include "rtctl/taker_link.h"

namespace rt::rtctl {
namespace {

constexpr std::string_view kClientName = "rtctl";

std::string joined(std::string text, const std::vector<std::string>& names) {
  for (const std::string& name : names) text += ' ' + name;
  return text;
}

class MessageStream final : public EventStream {
 public:
  explicit MessageStream(RedisSourceOptions options) : options_(std::move(options)) {}

  Result<StreamEnd> run(EventTaker& taker, std::stop_token stop) override {
    TakerLink link(taker, std::move(stop));
    RedisSource source(options_, link.watch());
    RT_CHECKED(source.run(link.token(), [&link](RecordBatch& batch) {
      for (std::size_t i = 0; i < batch.size() && !link.ended(); ++i) show(batch[i], link);
      link.drained();
      return Result<void>();
    }));
    return StreamEnd::stopped;
  }
  std::string name() const override {
    return joined("redis " + options_.address.text(), options_.channels);
  }

 private:
  static void show(const RecordView& record, TakerLink& link) {
    if (record.kind == RecordKind::gap) return link.gap(record.body);
    const auto body = archive::decode_redis(record.body);
    if (body) link.give({"message", {}, body->payload, body->channel, std::nullopt});
  }

  RedisSourceOptions options_;
};

class EntryStream final : public EventStream {
 public:
  explicit EntryStream(RedisStreamSourceOptions options) : options_(std::move(options)) {}

  Result<StreamEnd> run(EventTaker& taker, std::stop_token stop) override {
    TakerLink link(taker, std::move(stop));
    LinkWatch watch = link.watch();
    RedisStreamSource* reading = nullptr;
    watch.on_open = [&](bool again) {
      if (!again) {
        for (const auto& cursor : reading->cursors()) stands_.push_back(cursor.after.text());
      }
      taker.on_open(again);
    };
    RedisStreamSource source(options_, std::move(watch));
    reading = &source;
    RT_CHECKED(source.run(link.token(), [this, &link](RecordBatch& batch) {
      for (std::size_t i = 0; i < batch.size() && !link.ended(); ++i) show(batch[i], link);
      link.drained();
      return Result<void>();
    }));
    return StreamEnd::stopped;
  }
  std::string name() const override {
    return joined("redis stream " + options_.address.text(), options_.keys);
  }

 private:
  void show(const RecordView& record, TakerLink& link) {
    if (record.kind == RecordKind::gap) return link.gap(record.body);
    const auto body = archive::decode_redis(record.body);
    data_.clear();
    if (!body || !append_redis_data(data_, *body)) return;
    const auto key = std::find(options_.keys.begin(), options_.keys.end(), body->channel);
    stands_[static_cast<std::size_t>(key - options_.keys.begin())] = body->id;
    id_.clear();
    for (const std::string& stands : stands_) (id_ += id_.empty() ? "" : ",") += stands;
    // Ids are times unless somebody chose them: a number below that of 2001 is no time.
    constexpr std::uint64_t kEarliestMs = 1'000'000'000'000;
    const auto id = RedisEntryId::parse(body->id);
    std::optional<WallTime> written;
    if (id && id->ms >= kEarliestMs && id->ms <= 9 * kEarliestMs) {
      written = from_unix_us(static_cast<std::int64_t>(id->ms) * 1000);
    }
    link.give({"message", id_, data_, body->channel, written});
  }

  RedisStreamSourceOptions options_;
  std::vector<std::string> stands_;  // the last entry of each key
  std::string data_;
  std::string id_;
};

Result<std::vector<RedisEntryId>> parse_ids(const std::string& text, std::size_t keys) {
  std::vector<RedisEntryId> ids;
  for (const std::string_view part : split(text, ',')) {
    const auto id = RedisEntryId::parse(part);
    if (!id) {
      return fail(Code::usage, fmt::format("\"{}\" is not the id of an entry", text),
                  "ids look like 1526919030474-55");
    }
    ids.push_back(*id);
  }
  if (ids.size() == 1 || ids.size() == keys) return ids;
  return fail(Code::usage, fmt::format("{} ids for {} streams", ids.size(), keys),
              "give one for each stream, in their order, or one for all");
}

Result<RedisStreamBegin> begin_of(const RedisStreamOptions& options) {
  RedisStreamBegin begin;
  using At = RedisStreamBegin::At;
  switch (options.since.kind) {
    case Since::Kind::unset:
    case Since::Kind::end:
      begin.at = At::end;
      break;
    case Since::Kind::begin:
      begin.at = At::begin;
      break;
    case Since::Kind::id:
      begin.at = At::after;
      begin.after = RT_TRY(parse_ids(options.since.id, options.names.size()));
      break;
    case Since::Kind::time:
      begin.at = At::time;
      begin.time = options.since.time;
      break;
  }
  if (!options.last) return begin;
  if (options.since.kind != Since::Kind::unset) {
    return fail(Code::usage, "--since and --last both say where to begin");
  }
  begin.at = At::last;
  begin.last = *options.last;
  return begin;
}

Result<void> check_names(const RedisStreamOptions& options) {
  std::vector<std::string> names = options.names;
  if (names.empty()) {
    return fail(Code::usage, "which channel or stream? none is given",
                "for example: rtctl sub redis 'rt:*'");
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return {};
  return fail(Code::usage, fmt::format("\"{}\" is named twice", *twice));
}

Result<void> check_has_no_past(const RedisStreamOptions& options) {
  const Since::Kind kind = options.since.kind;
  const bool asks = (kind != Since::Kind::unset && kind != Since::Kind::end) || options.last;
  if (!asks) return {};
  return fail(Code::usage, "published messages have no past to begin in",
              "streams have one: rtctl sub redis --stream KEY");
}

}  // namespace

Result<std::unique_ptr<EventStream>> open_redis_stream(const RedisStreamOptions& options) {
  RT_CHECKED(check_names(options));
  const RedisAddress address = RT_TRY(parse_redis_url(options.url));
  const ReconnectOptions reconnect{.retries_max = options.retries_max};
  if (options.entries) {
    RedisStreamBegin begin = RT_TRY(begin_of(options));
    return std::make_unique<EntryStream>(RedisStreamSourceOptions{
        address, options.names, std::move(begin), reconnect, std::string(kClientName)});
  }
  RT_CHECKED(check_has_no_past(options));
  return std::make_unique<MessageStream>(
      RedisSourceOptions{address, options.names, reconnect, std::string(kClientName)});
}

}  // namespace rt::rtctl

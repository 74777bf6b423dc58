#include "rtctl/notify_stream.h"

#include <utility>

#include "archive/bodies.h"
#include "pg/listen.h"
#include "pipe/notify_source.h"
#include "rtctl/taker_link.h"

namespace rt::rtctl {
namespace {

class NotifyStream final : public EventStream {
 public:
  explicit NotifyStream(NotifyStreamOptions options) : options_(std::move(options)) {}

  Result<StreamEnd> run(EventTaker& taker, std::stop_token stop) override {
    NotifySourceOptions options;
    options.dsn = options_.dsn;
    options.channels = options_.channels;
    options.reconnect = options_.reconnect;
    options.application_name = "rtctl";
    TakerLink link(taker, std::move(stop));
    NotifySource source(std::move(options), link.watch());
    RT_CHECKED(source.run(link.token(), [&link](RecordBatch& batch) {
      for (std::size_t i = 0; i < batch.size() && !link.ended(); ++i) show(batch[i], link);
      link.drained();
      return Result<void>();
    }));
    return StreamEnd::stopped;
  }

  std::string name() const override {
    std::string name = "notify";
    for (const std::string& channel : options_.channels) name += ' ' + channel;
    return name;
  }

 private:
  static void show(const RecordView& record, TakerLink& link) {
    if (record.kind == RecordKind::gap) return link.gap(record.body);
    const auto body = archive::decode_notify(record.body);
    if (body) link.give({"message", {}, body->payload, body->channel, std::nullopt});
  }

  NotifyStreamOptions options_;
};

}  // namespace

Result<std::unique_ptr<EventStream>> open_notify_stream(const NotifyStreamOptions& options) {
  if (options.channels.empty()) {
    return fail(Code::usage, "which channel? none is given",
                "for example: rtctl sub notify orders");
  }
  for (const std::string& channel : options.channels) RT_CHECKED(check_channel_name(channel));
  return std::make_unique<NotifyStream>(options);
}

}  // namespace rt::rtctl

// Expected of a subscriber to a stream that was recorded event by event: the same events.
#include "archive/bodies.h"
#include "base/text.h"
#include "pipe/redis_entry.h"
#include "rtreplay/expected_events.h"

namespace rt::rtreplay {
namespace {

// As `rtctl subscribe` shows them.
std::string shown(std::string_view bytes) {
  std::string out;
  if (is_valid_utf8(bytes)) {
    out = bytes;
  } else {
    append_base64(out, bytes);
  }
  return out;
}

class RecordedEvents final : public ExpectedEvents {
 public:
  RecordedEvents(archive::Reader reader, const Expectation& expectation)
      : reader_(std::move(reader)), expectation_(expectation) {}

  Result<bool> next(ExpectedEvent& event) override {
    archive::Entry entry;
    while (RT_TRY(reader_.next(entry))) {
      if (entry.record.kind == RecordKind::gap) after_gap_ = true;
      event = {};
      if (!read(entry.record, event)) continue;
      event.required = is_in_bounds(entry, expectation_);
      event.after_gap = std::exchange(after_gap_, false);
      return true;
    }
    return false;
  }

  std::optional<ReceivedEvent> received(const LoggedRecord& record) const override {
    return received_event(record, record.topic);
  }

  DeliveryJudge::Options judge_options() const override { return {}; }

 private:
  static bool read(const RecordView& record, ExpectedEvent& event) {
    if (record.kind == RecordKind::sse) {
      const auto body = archive::decode_sse(record.body);
      if (!body) return false;
      event.id = body->id;
      event.fields = event_fields(body->event, {}, shown(body->data));
      return true;
    }
    std::string_view channel;
    std::string data;
    if (record.kind == RecordKind::notify) {
      const auto body = archive::decode_notify(record.body);
      if (!body) return false;
      channel = body->channel;
      data = body->payload;
    } else if (record.kind == RecordKind::redis) {
      const auto body = archive::decode_redis(record.body);
      if (!body || !append_redis_data(data, *body)) return false;
      channel = body->channel;
      event.id = body->id;
    } else {
      return false;
    }
    event.key = field_name(channel);
    event.fields = event_fields("message", channel, shown(data));
    return true;
  }

  archive::Reader reader_;
  Expectation expectation_;
  bool after_gap_ = false;
};

}  // namespace

Result<std::unique_ptr<ExpectedEvents>> expected_recorded(const Expectation& expectation) {
  return std::make_unique<RecordedEvents>(RT_TRY(open_expected(expectation)), expectation);
}

}  // namespace rt::rtreplay

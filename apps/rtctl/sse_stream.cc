#include "rtctl/sse_stream.h"

#include <utility>

#include "base/text.h"

namespace rt::rtctl {
namespace {

// What the SSE client says, in the words of EventTaker.
class SseTap final : public SseHandler {
 public:
  explicit SseTap(EventTaker& taker) : taker_(taker) {}

  bool on_event(const sse::EventView& event) override {
    if (stopped_) return false;
    return taker_.on_event({event.event, event.id, event.data, {}, std::nullopt});
  }
  void on_comment(std::string_view text) override {
    taker_.on_comment(text);
    if (std::exchange(caught_up_, caught_up_ || ends_past(text)) || !caught_up_) return;
    stopped_ = !taker_.on_caught_up();
    if (stopped_) stop_.request_stop();
  }
  void on_open(bool again) override { taker_.on_open(again); }
  void on_retry(const SseRetry& retry) override {
    taker_.on_retry({retry.reason, retry.delay, retry.failures});
  }
  void on_gap(std::string_view reason) override { taker_.on_gap(reason); }
  void on_drained() override { taker_.on_drained(); }

  std::stop_source& stop() { return stop_; }

 private:
  EventTaker& taker_;
  std::stop_source stop_;
  bool caught_up_ = false;
  bool stopped_ = false;
};

class SseStream final : public EventStream {
 public:
  SseStream(std::string url, SseOptions options)
      : url_(std::move(url)), options_(std::move(options)) {}

  Result<StreamEnd> run(EventTaker& taker, std::stop_token stop) override {
    SseTap tap(taker);
    const std::stop_callback forward(stop, [&tap] { tap.stop().request_stop(); });
    const SseEnd end = RT_TRY(subscribe(url_, options_, tap, tap.stop().get_token()));
    return end == SseEnd::ended ? StreamEnd::ended : StreamEnd::stopped;
  }
  std::string name() const override { return without_credentials(url_); }

 private:
  std::string url_;
  SseOptions options_;
};

}  // namespace

bool ends_past(std::string_view comment) {
  constexpr std::string_view kListening = "listening ";
  const std::string_view text = trim(comment);
  return text == "caught up" || text.substr(0, kListening.size()) == kListening;
}

std::unique_ptr<EventStream> open_sse_stream(std::string url, SseOptions options) {
  return std::make_unique<SseStream>(std::move(url), std::move(options));
}

}  // namespace rt::rtctl

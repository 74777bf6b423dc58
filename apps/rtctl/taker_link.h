// Between a source of records and an EventTaker: forwards what happens to the connection, and ends
// the source when the taker has had enough. One thread.
#pragma once

#include <functional>
#include <stop_token>
#include <utility>

#include "pipe/link_watch.h"
#include "rtctl/event_stream.h"

namespace rt::rtctl {

class TakerLink {
 public:
  // `outer` is the stop token of EventStream::run().
  TakerLink(EventTaker& taker, std::stop_token outer)
      : taker_(taker), forward_(std::move(outer), Forward{stop_}) {}

  LinkWatch watch() {
    LinkWatch watch;
    watch.on_open = [this](bool again) { taker_.on_open(again); };
    watch.on_retry = [this](const Error& reason, Duration delay, std::uint32_t failures) {
      taker_.on_retry({reason, delay, failures});
    };
    watch.on_caught_up = [this] {
      if (ended_ || taker_.on_caught_up()) return;
      ended_ = true;
      stop_.request_stop();
    };
    return watch;
  }
  // False once the taker wants no more.
  bool give(const StreamEvent& event) {
    ended_ = ended_ || !taker_.on_event(event);
    return !ended_;
  }
  void gap(std::string_view reason) {
    if (!ended_) taker_.on_gap(reason);
  }
  // At the end of each batch. `settled` is called when the taker has flushed.
  void drained(const std::function<void()>& settled = {}) {
    taker_.on_drained();
    if (settled) settled();
    if (ended_) stop_.request_stop();
  }

  bool ended() const { return ended_; }
  // For the source's run().
  std::stop_token token() const { return stop_.get_token(); }

 private:
  struct Forward {
    std::stop_source stop;
    void operator()() { stop.request_stop(); }
  };
  EventTaker& taker_;
  std::stop_source stop_;
  std::stop_callback<Forward> forward_;
  bool ended_ = false;
};

}  // namespace rt::rtctl

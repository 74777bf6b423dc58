// One line at the bottom of a terminal that says how a subscription fares: "connected  120 events
// 3.2/s  last 1s ago". It is drawn on standard error, erased before anything is printed, and drawn
// again after it, so that it never mixes with the output. Its own thread redraws it once a second.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"

namespace rt::rtctl {

enum class LinkState : std::uint8_t { connecting, connected, waiting };

struct Status {
  LinkState link = LinkState::connecting;
  std::uint64_t events = 0;
  double events_per_s = 0;         // over the last 10 s
  std::optional<Duration> silent;  // since the last event
};
// At most `columns` wide, without a line end. Pure.
std::string status_text(const Status& status, std::size_t columns);

class StatusLine {
 public:
  // Not shown: every call does nothing, and there is no thread.
  explicit StatusLine(bool shown);
  ~StatusLine();
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  // Around every write to the terminal, on standard output or error.
  void erase();
  void draw();
  void set_link(LinkState link);
  void count_event();

 private:
  void redraw_each_second();
  void draw_locked();
  Status status_now() const;

  const bool shown_;
  SystemClock clock_;
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
  bool drawn_ = false;
  LinkState link_ = LinkState::connecting;
  std::uint64_t events_ = 0;
  std::optional<Instant> last_event_;
  // Events of each of the last seconds; the current one is at second_ % size.
  static constexpr std::size_t kSeconds = 10;
  std::uint64_t per_second_[kSeconds] = {};
  std::size_t second_ = 0;
  std::thread thread_;
};

}  // namespace rt::rtctl

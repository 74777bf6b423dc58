// An EventStream running on a thread, and what it said, line by line:
//   "open", "open again", "event NAME ID TOPIC DATA" (parts separated by one space), "retry",
//   "gap", "caught up"
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "rtctl/event_stream.h"

namespace rt::test {

class TakerLog final : public rtctl::EventTaker {
 public:
  struct Habits {
    std::size_t events_max = SIZE_MAX;  // the taker has enough after so many
    bool stop_when_caught_up = false;
  };
  explicit TakerLog(std::unique_ptr<rtctl::EventStream> stream) : TakerLog(std::move(stream), {}) {}
  TakerLog(std::unique_ptr<rtctl::EventStream> stream, Habits habits)
      : stream_(std::move(stream)), habits_(habits), thread_([this](std::stop_token stop) {
          auto end = stream_->run(*this, std::move(stop));
          const std::lock_guard lock(mutex_);
          end_ = std::move(end);
          changed_.notify_all();
        }) {}
  ~TakerLog() override { stop(); }

  bool on_event(const rtctl::StreamEvent& event) override {
    const std::lock_guard lock(mutex_);
    lines_.push_back("event " + std::string(event.event) + " " + std::string(event.id) + " " +
                     std::string(event.topic) + " " + std::string(event.data));
    events_.push_back({std::string(event.id), std::string(event.data), event.written});
    changed_.notify_all();
    return events_.size() < habits_.events_max;
  }
  void on_open(bool again) override { say(again ? "open again" : "open"); }
  void on_retry(const rtctl::StreamRetry&) override { say("retry"); }
  void on_gap(std::string_view) override { say("gap"); }
  bool on_caught_up() override {
    say("caught up");
    return !habits_.stop_when_caught_up;
  }
  void on_drained() override {
    const std::lock_guard lock(mutex_);
    drained_ = events_.size();
    changed_.notify_all();
  }

  struct Event {
    std::string id;
    std::string data;
    std::optional<WallTime> written;
  };

  // Waits until `line` was said (`times` times).
  bool wait_for(const std::string& line, int times = 1) {
    return wait([&] { return std::count(lines_.begin(), lines_.end(), line) >= times; });
  }
  bool wait_for_events(std::size_t count) {
    return wait([&] { return drained_ >= count; });
  }
  // Waits until run() has returned, by itself.
  std::optional<Result<rtctl::StreamEnd>> wait_ended() {
    wait([&] { return end_.has_value(); });
    const std::lock_guard lock(mutex_);
    return end_;
  }
  Result<rtctl::StreamEnd> stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    return *end_;
  }
  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  std::vector<Event> events() {
    const std::lock_guard lock(mutex_);
    return events_;
  }

 private:
  void say(const char* line) {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(line);
    changed_.notify_all();
  }
  bool wait(const std::function<bool()>& holds) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(30), [&] { return end_ || holds(); });
    return holds();
  }

  std::unique_ptr<rtctl::EventStream> stream_;
  Habits habits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  std::vector<Event> events_;
  std::size_t drained_ = 0;
  std::optional<Result<rtctl::StreamEnd>> end_;
  std::jthread thread_;
};

}  // namespace rt::test

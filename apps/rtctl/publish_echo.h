// `--await`: whether each message came back on a subscription, and when. The subscription runs on a
// thread of its own; everything else is called from the publisher's.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "rtctl/event_stream.h"

namespace rt::rtctl {

// Where messages come back, and how they are known again.
struct EchoSource {
  // For a stream that is known only when the message was sent (a job's): its id; otherwise "".
  std::function<Result<std::unique_ptr<EventStream>>(const std::string& id)> open;
  // The key of an event; empty: none of ours.
  std::function<std::string(const StreamEvent&)> key_of;
  bool after_receipt = false;
  bool tells_past = false;  // the stream first tells what was; wait until it has
};

// The key of data that may have been spelled anew: JSON with sorted names and without white space;
// other text as it is.
std::string echo_key(std::string_view data);
// That of a member of a JSON object: "" if there is none.
std::string echo_member(std::string_view data, const char* name);

class EchoWatch final : public EventTaker {
 public:
  explicit EchoWatch(EchoSource source) : source_(std::move(source)) {}
  ~EchoWatch() override;
  EchoWatch(const EchoWatch&) = delete;
  EchoWatch& operator=(const EchoWatch&) = delete;

  // Returns once the subscription stands: what is sent from now on will be seen.
  Result<void> open(const std::string& id, Duration timeout, const std::stop_token& stop);

  // Before the message is sent: it may be back before the receipt is.
  void expect(const std::string& key, std::uint64_t number, Instant since);
  void forget(const std::string& key, std::uint64_t number);

  struct Back {
    std::uint64_t number = 0;
    Duration took{};  // since expect()'s `since`
  };
  // What has come back since the last call.
  std::vector<Back> collect();
  // Waits until one more is back or none is missing; false when the deadline passed or stop was
  // asked for first.
  bool wait(Instant deadline, const std::stop_token& stop);
  std::size_t missing() const;
  // Why the subscription ended by itself, if it did.
  std::optional<Error> failure() const;

 private:
  struct Pending {
    std::uint64_t number;
    Instant since;
  };

  bool on_event(const StreamEvent& event) override;
  void on_open(bool again) override;
  bool on_caught_up() override;
  void on_retry(const StreamRetry& retry) override;

  EchoSource source_;
  std::unique_ptr<EventStream> stream_;
  SystemClock clock_;
  mutable std::mutex mutex_;  // all below, but the thread
  std::condition_variable_any changed_;
  std::unordered_multimap<std::string, Pending> pending_;
  std::vector<Back> back_;
  bool open_ = false;
  bool caught_up_ = false;
  bool ended_ = false;
  std::optional<Error> failure_;
  std::jthread thread_;
};

}  // namespace rt::rtctl

// rtreplay play --to http://.., redis://.., notify: a recording as messages. A row change goes out
// as the line that `rtreplay cat` prints; an event, a notification or a Redis message as it was.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "archive/stream_tracker.h"
#include "base/random.h"
#include "pipe/publish_sink.h"
#include "pipe/publish_to_http.h"
#include "pipe/sink.h"
#include "rtreplay/record_printer.h"

namespace rt::rtreplay {

struct MessageTarget {
  std::string pg;       // notify: the database
  std::string channel;  // notify, Redis: where rows go; empty: "rtreplay"
  std::string stream;   // Redis: a stream instead of a channel
  bool yes = false;     // also where it is not on this machine
};

// Code::usage if what can be checked beforehand is wrong.
Result<void> check_message_target(const std::string& to, const MessageTarget& target);

class MessageSink final : public Sink {
 public:
  // The peer is reached for before anything is played.
  static Result<std::unique_ptr<MessageSink>> open(const std::string& to,
                                                   const MessageTarget& target, int cancel_fd);

  Result<void> put(const RecordView& record) override;
  // Code::refused if the peer refused messages.
  Result<void> close() override;

  // What it came to, on standard error.
  void report() const;

 private:
  // A peer that is away for longer than some seconds is not waited for: what is due goes stale.
  static constexpr int kTriesMax = 6;

  MessageSink(std::string to, int cancel_fd);
  Result<void> put_lines(const RecordView& record);
  Result<void> send(PublishMessage message);
  void fit_notification(PublishMessage& message, const Position& at);

  std::string to_;
  int cancel_fd_;
  bool by_notify_ = false;
  std::unique_ptr<HttpStatusCounts> statuses_;  // of HTTP
  std::unique_ptr<PublishSink> peer_;
  archive::StreamTracker tracker_;
  RecordPrinter printer_{LineFormat::ndjson, false};
  Random random_;
  std::string lines_;
  std::uint64_t sent_ = 0;
  std::uint64_t repeated_ = 0;  // sent again after a failure
  std::uint64_t refused_ = 0;
  std::uint64_t references_ = 0;  // too large for NOTIFY: their id was sent
  std::string first_refusal_;
};

}  // namespace rt::rtreplay

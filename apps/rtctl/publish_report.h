// What `rtctl publish` says: on standard output a line for each message (its id, itself, or a
// record), on standard error how far it is and what it came to. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "load/histogram.h"
#include "rtctl/publish_echo.h"
#include "rtctl/publish_sink.h"

namespace rt::rtctl {

struct ReportOptions {
  bool tee = false;
  bool json = false;
  bool quiet = false;
  bool dry_run = false;
  bool paced = false;
  std::optional<std::uint64_t> planned;  // messages, if that is known
};

class PublishReport {
 public:
  PublishReport(const ReportOptions& options, const Clock& clock);

  void would_send(std::uint64_t number, const PublishMessage& message);
  // late: of the moment when it was due.
  void sent(std::uint64_t number, const PublishMessage& message, const PublishReceipt& receipt,
            Duration took, Duration late);
  void failed() { ++errors_; }
  void returned(const EchoWatch::Back& back);
  // Now and then: how far it is.
  void tick();
  // The last word, if there is something to say: more than one message, or an interruption.
  enum class End : std::uint8_t { done, failed, interrupted };
  void finish(End end);

  std::uint64_t sent_count() const { return sent_; }
  std::uint64_t error_count() const { return errors_; }
  std::uint64_t returned_count() const { return returned_.count(); }

 private:
  std::string totals() const;
  void print(const std::string& line) const;
  void clear_progress();

  ReportOptions options_;
  const Clock& clock_;
  Instant started_;
  Instant ticked_;
  bool live_;                      // standard error is a terminal
  std::size_t shown_columns_ = 0;  // of the progress line
  std::uint64_t sent_ = 0;
  std::uint64_t errors_ = 0;
  std::optional<std::int64_t> receivers_;  // of the message sent last
  Histogram acknowledged_;
  Histogram late_;
  Histogram returned_;
};

}  // namespace rt::rtctl

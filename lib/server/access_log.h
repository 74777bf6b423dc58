// Writes the access log: lines of what clients asked and got. I/O threads hand over records through
// rings of their own and never wait; one thread makes lines of them and writes. What finds its ring
// full, or the disk too, is dropped and counted.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "io/spsc_ring.h"
#include "io/wakeup.h"
#include "server/access_record.h"
#include "server/counters.h"

namespace rt::server {

struct AccessLogOptions {
  std::string path{};  // "-": standard output
  AccessFormat format = AccessFormat::key_value;
};

class AccessLog {
 public:
  // What one I/O thread writes to.
  class Tap {
   public:
    void write(AccessRecord&& record);
    bool is_full() const { return records_.size() == kRecordsMax; }
    // To be kept by a thread with a descriptor table of its own.
    int wakeup_fd() const { return log_.wakeup_.fd(); }

   private:
    friend class AccessLog;
    // A second of 8,000 requests a thread: the writer comes far more often.
    static constexpr std::size_t kRecordsMax = 8192;
    explicit Tap(AccessLog& log) : log_(log) {}

    AccessLog& log_;
    io::SpscRing<AccessRecord> records_{kRecordsMax};
  };

  // Opens the file, at its end. Code::usage if it cannot be. clock and counters outlive this.
  static Result<std::unique_ptr<AccessLog>> open(AccessLogOptions options, const Clock& clock,
                                                 Counters& counters);
  ~AccessLog();

  // Before start().
  Tap& add_tap();
  void start();
  // Any thread: the file has been moved away, a new one begins. If it cannot be opened the old one
  // goes on, and the server's log says so.
  void reopen();
  // When no tap is written to any more: writes what is left.
  void stop();

 private:
  AccessLog(AccessLogOptions options, const Clock& clock, Counters& counters, io::Wakeup wakeup)
      : options_(std::move(options)),
        clock_(clock),
        counters_(counters),
        wakeup_(std::move(wakeup)) {}
  Result<void> open_file();
  void run();
  bool gather();
  void write_out();
  bool write_piece(std::string_view& rest);
  void report_lost();

  const AccessLogOptions options_;
  const Clock& clock_;
  Counters& counters_;
  io::Wakeup wakeup_;
  std::vector<std::unique_ptr<Tap>> taps_;
  Fd file_;
  bool is_regular_ = false;
  bool is_stuck_ = false;  // the reader of a pipe stands still
  std::string lines_;
  std::size_t line_count_ = 0;       // in lines_
  std::uint64_t reported_lost_ = 0;  // of counters_.access_lines_lost
  Instant next_report_{};
  std::atomic<bool> reopen_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace rt::server

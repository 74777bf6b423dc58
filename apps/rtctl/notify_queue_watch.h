// `rtctl serve`: watches how full PostgreSQL's queue of notifications is. When a listener stands
// still (an open transaction on a connection that listens), the queue grows; full, every NOTIFY of
// the cluster fails. PostgreSQL documentation, "NOTIFY", pg_notification_queue_usage().
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "io/wakeup.h"
#include "pg/connection.h"

namespace rt::rtctl {

class NotifyQueueWatch {
 public:
  struct Options {
    std::string dsn;
    Duration every = std::chrono::seconds(30);
    double warn_above = 0.5;  // of 1
  };
  NotifyQueueWatch(Options options, io::Wakeup cancel)
      : options_(std::move(options)), cancel_(std::move(cancel)) {}

  void start();
  void stop();
  // Any thread. 0 to 1 as of the last look; nothing while it could not look.
  std::optional<double> usage() const;

 private:
  void run(const std::stop_token& stop);
  Result<double> look();

  const Options options_;
  io::Wakeup cancel_;  // rung by stop()
  std::optional<Connection> connection_;
  std::atomic<double> usage_{-1};
  std::jthread thread_;
};

}  // namespace rt::rtctl

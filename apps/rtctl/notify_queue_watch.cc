#include "rtctl/notify_queue_watch.h"

#include <fmt/format.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include "base/log.h"

namespace rt::rtctl {

void NotifyQueueWatch::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void NotifyQueueWatch::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

std::optional<double> NotifyQueueWatch::usage() const {
  const double usage = usage_;
  if (usage < 0) return std::nullopt;
  return usage;
}

Result<double> NotifyQueueWatch::look() {
  if (!connection_) {
    connection_.emplace(
        RT_TRY(Connection::connect(options_.dsn, {.application_name = "rtctl serve queue watch",
                                                  .answer_timeout = std::chrono::seconds(10),
                                                  .cancel_fd = cancel_.fd()})));
  }
  const auto rows = connection_->query("SELECT pg_notification_queue_usage()", {},
                                       "look at the queue of notifications");
  if (!rows) {
    connection_.reset();
    return fail(rows.error());
  }
  return std::strtod(std::string(rows->text(0, 0)).c_str(), nullptr);
}

void NotifyQueueWatch::run(const std::stop_token& stop) {
  const std::stop_callback call_off(stop, [this] { cancel_.ring(); });
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    const auto usage = look();
    usage_ = usage.value_or(-1);
    if (!usage) {
      log::debug("topics", log::field("queue usage", usage.error().text));
    } else if (*usage > options_.warn_above) {
      log::warn("the database's queue of notifications fills up: a listener stands still",
                fmt::format("usage={:.0f}% look_for=\"select * from pg_stat_activity where "
                            "state like 'idle in transaction%'\"",
                            *usage * 100));
    }
    wake.wait_for(lock, stop, options_.every, [] { return false; });
  }
}

}  // namespace rt::rtctl

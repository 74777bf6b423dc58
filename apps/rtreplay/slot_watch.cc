#include "rtreplay/slot_watch.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/units.h"
#include "pg/connection.h"
#include "pipe/backoff.h"

namespace rt::rtreplay {
namespace {

// A slot that grows by 200 MiB/s, as fast as a server writes, is noticed within that much.
constexpr Duration kLook = std::chrono::seconds(1);

std::string bytes_text(std::uint64_t bytes) {
  return format_bytes(static_cast<double>(bytes));
}

}  // namespace

Result<std::unique_ptr<SlotWatch>> SlotWatch::start(std::string dsn, std::string slot,
                                                    const SlotLimits& limits, Listeners listeners) {
  Fd cancel(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!cancel) return fail(os_error("cannot create an eventfd", errno));
  return std::unique_ptr<SlotWatch>(new SlotWatch(std::move(dsn), std::move(slot), limits,
                                                  std::move(listeners), std::move(cancel)));
}

SlotWatch::SlotWatch(std::string dsn, std::string slot, const SlotLimits& limits,
                     Listeners listeners, Fd cancel)
    : dsn_(std::move(dsn)),
      slot_(std::move(slot)),
      limits_(limits),
      listeners_(std::move(listeners)),
      cancel_(std::move(cancel)),
      thread_([this] {
        // A lost connection is the recorder's to tell of; here it is only tried again.
        for (;;) {
          const Result<void> ended = watch();
          if (dropped_ || (!ended && ended.error().code == Code::cancelled)) return;
          if (!pause_for(kLook, cancel_.get())) return;
        }
      }) {}

SlotWatch::~SlotWatch() {
  const std::uint64_t one = 1;
  while (::write(cancel_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

Result<void> SlotWatch::watch() {
  ConnectOptions connect;
  connect.application_name = "rtreplay slot watch";
  connect.cancel_fd = cancel_.get();
  Connection connection = RT_TRY(Connection::connect(dsn_, connect));
  while (!dropped_) {
    RT_CHECKED(look(connection));
    if (!dropped_) RT_CHECKED(pause_for(kLook, cancel_.get()));
  }
  return {};
}

Result<void> SlotWatch::look(Connection& connection) {
  const auto lag = RT_TRY(read_slot_lag(connection, slot_));
  if (lag) judge(*lag);
  return {};
}

void SlotWatch::judge(const SlotLag& lag) {
  if (limits_.drop_over && lag.pinned > *limits_.drop_over) {
    dropped_ = true;
    listeners_.on_drop(fmt::format("slot \"{}\" kept {} of WAL, more than {}", slot_,
                                   bytes_text(lag.pinned), bytes_text(*limits_.drop_over)));
    return;
  }
  // Once for each time it gets bad; half the limit ends such a time, so that it does not flicker.
  if (limits_.lag_max && !lagging_ && lag.behind > *limits_.lag_max) {
    lagging_ = true;
    listeners_.on_lag(fmt::format("{} behind the server, more than {}", bytes_text(lag.behind),
                                  bytes_text(*limits_.lag_max)));
  } else if (limits_.lag_max && lag.behind <= *limits_.lag_max / 2) {
    lagging_ = false;
  }
  const bool endangered = lag.left && lag.limit && *lag.left < *lag.limit / 2;
  if (endangered && !endangered_) {
    listeners_.on_warning(
        fmt::format("the server drops slot \"{}\" after {} more of WAL "
                    "(max_slot_wal_keep_size is {})",
                    slot_, bytes_text(*lag.left), bytes_text(*lag.limit)));
  }
  endangered_ = endangered;
}

}  // namespace rt::rtreplay

// Notifications of PostgreSQL channels as records: RecordKind::notify (archive::NotifyBody), in
// commit order. NOTIFY has no past: what is sent while the connection is down is lost, so a gap
// record follows each lost connection. PostgreSQL documentation, "NOTIFY".
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "pipe/outlet.h"
#include "pipe/reconnector.h"
#include "pipe/source.h"

namespace rt {

struct NotifySourceOptions {
  std::string dsn;                    // see pg/connection.h
  std::vector<std::string> channels;  // as they stand: "Orders" and "orders" are two
  ReconnectOptions reconnect;
  std::string application_name = "realtime";
};

class NotifySource final : public Source {
 public:
  explicit NotifySource(NotifySourceOptions options, LinkWatch watch = {});

  // Listens until stopped, reconnecting for ever unless the options say otherwise. It reads when
  // `take` has returned: a `take` that blocks for long lets the server's queue of notifications
  // grow (8 GiB, then NOTIFY fails for everybody). Once per object.
  Result<void> run(std::stop_token stop, const Take& take) override;

  // Any thread.
  std::uint64_t events() const { return events_.load(std::memory_order_relaxed); }
  std::uint64_t gaps() const { return gaps_.load(std::memory_order_relaxed); }

 private:
  Result<void> session(Reconnector& link, Outlet& outlet, int cancel_fd);

  NotifySourceOptions options_;
  LinkWatch watch_;
  std::atomic<std::uint64_t> events_{0};
  std::atomic<std::uint64_t> gaps_{0};
};

}  // namespace rt

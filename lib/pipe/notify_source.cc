#include "pipe/notify_source.h"

#include <utility>

#include "archive/bodies.h"
#include "pg/listen.h"
#include "pipe/sessions.h"

namespace rt {

namespace {

constexpr std::string_view kGap =
    "connection lost: what was notified until it was back is lost for this listener";

}  // namespace

NotifySource::NotifySource(NotifySourceOptions options, LinkWatch watch)
    : options_(std::move(options)), watch_(std::move(watch)) {}

Result<void> NotifySource::run(std::stop_token stop, const Take& take) {
  return run_sessions(options_.reconnect, watch_, stop, take,
                      [this](Reconnector& link, Outlet& outlet, int cancel_fd) {
                        return session(link, outlet, cancel_fd);
                      });
}

// Success: the taker has failed.
Result<void> NotifySource::session(Reconnector& link, Outlet& outlet, int cancel_fd) {
  ConnectOptions connect;
  connect.application_name = options_.application_name;
  connect.cancel_fd = cancel_fd;
  Listen listen = RT_TRY(Listen::start(options_.dsn, options_.channels, connect));
  if (link.opened()) {
    outlet.put(RecordKind::gap, kGap);
    gaps_.fetch_add(1, std::memory_order_relaxed);
  }
  if (!outlet.hand_over()) return {};
  link.caught_up();
  std::string body;
  for (;;) {
    while (const auto got = listen.next()) {
      body.clear();
      archive::encode(body, archive::NotifyBody{got->channel, got->payload, got->pid});
      outlet.put(RecordKind::notify, body);
      events_.fetch_add(1, std::memory_order_relaxed);
      link.received();
      if (outlet.due() && !outlet.hand_over()) return {};
    }
    if (!outlet.hand_over()) return {};
    RT_CHECKED(listen.wait());
  }
}

}  // namespace rt

#include "pipe/sessions.h"

#include "io/wakeup.h"

namespace rt {

Result<void> run_sessions(const ReconnectOptions& options, const LinkWatch& watch,
                          const std::stop_token& stop, const Source::Take& take,
                          const Session& session) {
  io::Wakeup wakeup = RT_TRY(io::Wakeup::create());
  const std::stop_callback on_stop(stop, [&wakeup] { wakeup.ring(); });
  Reconnector link(options, watch, wakeup.fd());
  Outlet outlet(take);
  const Result<void> ended = link.run([&] { return session(link, outlet, wakeup.fd()); });
  if (!outlet.taken()) return outlet.taken();
  return stop.stop_requested() ? Result<void>() : ended;
}

}  // namespace rt

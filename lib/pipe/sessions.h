// What every source over a connection does the same way: one session after another, each over a
// connection of its own, until stopped, until the taker fails, or until one ends for good.
#pragma once

#include <functional>
#include <stop_token>

#include "base/result.h"
#include "pipe/outlet.h"
#include "pipe/reconnector.h"
#include "pipe/source.h"

namespace rt {

// A session's waits end with Code::cancelled when cancel_fd is readable. It returns as
// Reconnector::run() says, and success when the taker has failed.
using Session = std::function<Result<void>(Reconnector& link, Outlet& outlet, int cancel_fd)>;

// On the calling thread. The taker's error comes first; a stop is success.
Result<void> run_sessions(const ReconnectOptions& options, const LinkWatch& watch,
                          const std::stop_token& stop, const Source::Take& take,
                          const Session& session);

}  // namespace rt

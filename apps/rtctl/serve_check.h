// `rtctl serve --check`: reads the configuration as for serving, and says what of it cannot be. It
// asks nobody, as `nginx -t` and `sshd -t` do not: a configuration is right or wrong also while a
// database is away, and checking one must not create publications. "rtctl doctor" asks.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "rtctl/serve_flags.h"

namespace rt::rtctl {

// Prints a line for each thing that is configured, and for each surface. Code::usage if anything is
// wrong.
Result<int> check_serve(const ServeFlags& flags, const Clock& clock);

}  // namespace rt::rtctl

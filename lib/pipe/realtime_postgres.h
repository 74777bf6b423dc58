// Realtime events over NOTIFY: one channel for all types, an event up to 7,999 bytes, no past.
// PostgreSQL documentation, "NOTIFY".
#pragma once

#include <memory>
#include <string>

#include "pipe/realtime_bus.h"

namespace rt {

// channel: as it stands, capitals too, on both sides; empty: realtime_events. Code::usage for a
// name that no channel can have.
Result<std::unique_ptr<RealtimeBus>> realtime_over_postgres(const std::string& dsn,
                                                            const std::string& channel,
                                                            LinkWatch watch);

}  // namespace rt

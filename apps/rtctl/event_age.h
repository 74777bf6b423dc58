// How old an event is when it arrives, if its data says when it was made. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace rt::rtctl {

// Looks for a time (RFC 3339) in the top-level members committed_at, updated_at, timestamp, time,
// ts of a JSON object, in this order. Nothing if there is none. May be negative: clocks differ.
std::optional<double> event_age_ms(std::string_view json, WallTime received);

}  // namespace rt::rtctl

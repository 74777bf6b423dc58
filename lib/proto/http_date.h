// HTTP dates (RFC 9110 section 5.6.7) and Retry-After (10.2.3). Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace rt {

// "Sun, 06 Nov 1994 08:49:37 GMT" and the two obsolete spellings that a recipient must accept,
// "Sunday, 06-Nov-94 08:49:37 GMT" and "Sun Nov  6 08:49:37 1994". The weekday is not checked.
std::optional<WallTime> parse_http_date(std::string_view text);

// Seconds or a date, as a wait from `now`; a date in the past is no wait. At most a day.
std::optional<Duration> parse_retry_after(std::string_view text, WallTime now);

}  // namespace rt

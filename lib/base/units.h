// Quantities as people write them. A bare number is refused where a unit matters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace rt {

// "300ms", "1.5s", "15m", "2h", "1d", "20us", "5ns"; "0" needs no unit. Not negative.
Result<Duration> parse_duration(std::string_view text);
// "400k", "2M", "1000" (k and M are 1000 and 1000000).
Result<std::uint64_t> parse_count(std::string_view text);
// "64KiB", "256MiB", "1GiB", "4kB", "512B" to bytes.
Result<std::uint64_t> parse_bytes(std::string_view text);
// "500/s", "5k/s", "30/m", "10/h" to events per second.
Result<double> parse_rate(std::string_view text);
// "2026-03-29T00:30:00.123456Z" or with an offset "+02:00" (RFC 3339); a space may stand for the T.
Result<WallTime> parse_rfc3339(std::string_view text);

std::string format_duration(Duration d);    // "812us", "2.41ms", "1m12s"
std::string format_bytes(double bytes);     // "9.1 GiB"
std::string format_count(std::uint64_t n);  // "400 000"
std::string format_rfc3339(WallTime t);     // always six digits and Z
void append_rfc3339(std::string& out, WallTime t);
std::string format_rfc3339_ms(WallTime t);  // three digits and Z

}  // namespace rt

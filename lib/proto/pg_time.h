// PostgreSQL's text of timestamp and timestamptz to a number.
// Sans-IO, no state: thread-safe. Source: PostgreSQL 15, section 8.5.2 "Date/Time Output".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace rt {

// "2025-06-01 12:34:56.789+02" to microseconds since 1970-01-01 00:00 UTC. The ISO date style: year
// of four to six digits, space or T, fraction of one to six digits, offset +hh, +hh:mm, +hh:mm:ss,
// Z or none (UTC). nullopt for anything else, also for infinity, -infinity and years BC, which have
// no such number here.
std::optional<std::int64_t> parse_pg_timestamp_us(std::string_view text);

}  // namespace rt

#include "server/health.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/units.h"

namespace rt::server {

std::string health_json(const Counters& counters, const SourceHealth& source, std::size_t shards,
                        WallTime started, WallTime now) {
  const bool ready = counters.ready;
  const bool degraded = !source.connected || counters.history_failed;
  const auto value = [](const Counters::Count& count) { return count.load(); };
  // Time behind is known only when bytes are: an idle database is not behind.
  const std::int64_t last_commit_us = counters.last_commit_us;
  const double lag_s = source.lag_bytes > 0 && last_commit_us > 0
                           ? static_cast<double>(unix_us(now) - last_commit_us) / 1e6
                           : 0.0;
  nlohmann::ordered_json json = {
      {"status", !ready     ? "warming"
                 : degraded ? "degraded"
                            : "ok"},
      {"time", format_rfc3339(now)},
      {"warm", ready},
      {"uptime_s", static_cast<double>(unix_us(now) - unix_us(started)) / 1e6},
      {"connections", value(counters.connections)},
      {"subscribers", value(counters.subscribers)},
      {"runs", value(counters.runs)},
      {"source",
       {{"kind", source.kind},
        {"connected", source.connected},
        {"reconnects", source.reconnects},
        {"position", lsn_text(counters.position_lsn)},
        {"lag_bytes", source.lag_bytes},
        {"lag_s", lag_s},
        {"last_commit", last_commit_us > 0 ? format_rfc3339(from_unix_us(last_commit_us)) : ""},
        {"damaged_messages", value(counters.damaged_messages)}}},
      {"history",
       {{"failed", counters.history_failed.load()}, {"bytes", value(counters.history_bytes)}}},
      {"totals",
       {{"accepted", value(counters.accepted)},
        {"refused_full", value(counters.refused_full)},
        {"requests_refused", value(counters.requests_refused)},
        {"events", value(counters.events)},
        {"events_sent", value(counters.events_sent)},
        {"bytes_sent", value(counters.bytes_sent)},
        {"resumed", value(counters.resumed)},
        {"started_anew", value(counters.started_anew)},
        {"slow_disconnects", value(counters.slow_disconnects)},
        {"shard_waits", value(counters.shard_waits)}}},
      {"shards", shards},
  };
  return json.dump() + "\n";
}

}  // namespace rt::server

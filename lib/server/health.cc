#include "server/health.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/units.h"

namespace rt::server {

namespace {

nlohmann::ordered_json surface_json(const SurfaceHealth& health) {
  using State = SurfaceHealth::State;
  nlohmann::ordered_json json = {{"status", health.state == State::ok         ? "ok"
                                            : health.state == State::degraded ? "degraded"
                                                                              : "unavailable"}};
  if (!health.reason.empty()) json["reason"] = health.reason;
  for (const auto& [name, count] : health.counts) json[name] = count;
  return json;
}

}  // namespace

double replication_lag_seconds(const Counters& counters, const SourceHealth& source, WallTime now) {
  const std::int64_t last_commit_us = counters.last_commit_us;
  if (source.lag_bytes == 0 || last_commit_us == 0) return 0.0;
  return static_cast<double>(unix_us(now) - last_commit_us) / 1e6;
}

std::string report_fields(const Counters& counters, const SourceHealth& source, WallTime now) {
  return fmt::format(
      "subscribers={} runs={} events={} lag_bytes={} lag_s={:.1f} slow_disconnects={} "
      "expired_disconnects={}",
      counters.subscribers.load(), counters.runs.load(), counters.events.load(), source.lag_bytes,
      replication_lag_seconds(counters, source, now), counters.slow_disconnects.load(),
      counters.expired_disconnects.load());
}

std::string health_json(const Counters& counters, const SourceHealth& source,
                        const std::vector<NamedHealth>& surfaces, std::size_t shards,
                        WallTime started, WallTime now) {
  const bool ready = counters.ready;
  bool degraded = !source.connected || counters.history_failed;
  nlohmann::ordered_json by_surface = nlohmann::ordered_json::object();
  for (const NamedHealth& each : surfaces) {
    by_surface[std::string(each.surface)] = surface_json(each.health);
    const auto state = each.health.state;
    degraded |= state == SurfaceHealth::State::degraded ||
                (state == SurfaceHealth::State::unavailable && each.health.asked_for);
  }
  const auto value = [](const Counters::Count& count) { return count.load(); };
  const std::int64_t last_commit_us = counters.last_commit_us;
  nlohmann::ordered_json json = {
      {"status", counters.draining ? "draining"
                 : !ready          ? "warming"
                 : degraded        ? "degraded"
                                   : "ok"},
      {"time", format_rfc3339(now)},
      {"warm", ready},
      {"uptime_s", static_cast<double>(unix_us(now) - unix_us(started)) / 1e6},
      {"connections", value(counters.connections)},
      {"http2_streams", value(counters.streams)},
      {"subscribers", value(counters.subscribers)},
      {"runs", value(counters.runs)},
      {"source",
       {{"kind", source.kind},
        {"connected", source.connected},
        {"reconnects", source.reconnects},
        {"position", lsn_text(counters.position_lsn)},
        {"lag_bytes", source.lag_bytes},
        {"lag_s", replication_lag_seconds(counters, source, now)},
        {"last_commit", last_commit_us > 0 ? format_rfc3339(from_unix_us(last_commit_us)) : ""},
        {"damaged_messages", value(counters.damaged_messages)}}},
      {"surfaces", by_surface},
      {"history",
       {{"failed", counters.history_failed.load()}, {"bytes", value(counters.history_bytes)}}},
      {"totals",
       {{"accepted", value(counters.accepted)},
        {"refused_full", value(counters.refused_full)},
        {"requests_refused", value(counters.requests_refused)},
        {"handshakes_failed", value(counters.handshakes_failed)},
        {"sessions_broken", value(counters.sessions_broken)},
        {"events", value(counters.events)},
        {"events_sent", value(counters.events_sent)},
        {"bytes_sent", value(counters.bytes_sent)},
        {"resumed", value(counters.resumed)},
        {"started_anew", value(counters.started_anew)},
        {"slow_disconnects", value(counters.slow_disconnects)},
        {"expired_disconnects", value(counters.expired_disconnects)},
        {"events_dropped", value(counters.events_dropped)},
        {"shard_waits", value(counters.shard_waits)}}},
      {"shards", shards},
  };
  return json.dump() + "\n";
}

}  // namespace rt::server

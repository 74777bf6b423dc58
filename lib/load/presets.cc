#include "load/presets.h"

#include <array>

namespace rt {
namespace {

constexpr std::string_view kRuns = R"({
  "name": "runs", "seed": 42,
  "target": {"preset": "runs", "url": "http://127.0.0.1:8080/v1/runs/stream"},
  "phases": [
    {"name": "ramp", "connections": {"to": 1000, "rate": "2k/s"}},
    {"name": "warm", "hold": "5s"},
    {"name": "main", "hold": "30s", "measure": true},
    {"name": "drain", "hold": "2s"}
  ],
  "subscriptions": {"topics": {"count": 500, "name": "run-{n}"}, "choice": {"dist": "round_robin"}},
  "publish": [{
    "id": "wal",
    "producer": {"type": "pg-update", "table": "task_run", "connections": 4},
    "rate": "200/s", "arrival": "poisson", "topic": {"dist": "uniform"}
  }],
  "thresholds": [{"expr": "delivery.p95 < 300ms"}]
})";

constexpr std::string_view kTopics = R"({
  "name": "topics", "seed": 42,
  "target": {
    "preset": "topics",
    "url": "http://127.0.0.1:8080/topics/{topic}/events",
    "publish_url": "http://127.0.0.1:8080/topics/{topic}/events"
  },
  "phases": [
    {"name": "ramp", "connections": {"to": 1000, "rate": "2k/s"}},
    {"name": "warm", "hold": "5s"},
    {"name": "main", "hold": "30s", "measure": true},
    {"name": "drain", "hold": "2s"}
  ],
  "subscriptions": {"topics": {"count": 100, "name": "topic-{n}"}, "choice": {"dist": "zipf", "s": 1.1}},
  "publish": [{
    "id": "http",
    "producer": {"type": "http-post", "connections": 8},
    "rate": "100/s", "arrival": "poisson", "topic": {"dist": "zipf", "s": 1.1}
  }],
  "thresholds": [{"expr": "delivery.p95 < 300ms"}]
})";

constexpr std::string_view kEvents = R"({
  "name": "events", "seed": 42,
  "target": {"preset": "events", "url": "http://127.0.0.1:8080/events?scope=bench&scope_id={topic}"},
  "phases": [
    {"name": "ramp", "connections": {"to": 1000, "rate": "2k/s"}},
    {"name": "warm", "hold": "5s"},
    {"name": "main", "hold": "30s", "measure": true},
    {"name": "drain", "hold": "2s"}
  ],
  "subscriptions": {"topics": {"count": 20, "name": "{n}"}, "choice": {"dist": "round_robin"}},
  "publish": [{
    "id": "redis",
    "producer": {"type": "redis-publish", "connections": 2},
    "rate": "100/s", "arrival": "poisson", "topic": {"dist": "uniform"}
  }],
  "thresholds": [{"expr": "delivery.p95 < 300ms"}]
})";

constexpr std::string_view kRealtime = R"({
  "name": "realtime", "seed": 42,
  "target": {"preset": "realtime", "url": "http://127.0.0.1:8080/realtime?events={topic}"},
  "phases": [
    {"name": "ramp", "connections": {"to": 1000, "rate": "2k/s"}},
    {"name": "warm", "hold": "5s"},
    {"name": "main", "hold": "30s", "measure": true},
    {"name": "drain", "hold": "2s"}
  ],
  "subscriptions": {"topics": {"count": 10, "name": "task-{n}"}, "choice": {"dist": "round_robin"}},
  "publish": [{
    "id": "http",
    "producer": {"type": "http-post", "connections": 8},
    "rate": "50/s", "arrival": "poisson", "topic": {"dist": "uniform"}
  }],
  "thresholds": [{"expr": "delivery.p95 < 300ms"}]
})";

constexpr std::string_view kJobs = R"({
  "name": "jobs", "seed": 42,
  "target": {"preset": "jobs", "url": "http://127.0.0.1:8080/jobs/{topic}/stream"},
  "phases": [
    {"name": "ramp", "connections": {"to": 1000, "rate": "2k/s"}},
    {"name": "warm", "hold": "5s"},
    {"name": "main", "hold": "30s", "measure": true},
    {"name": "drain", "hold": "2s"}
  ],
  "subscriptions": {"topics": {"count": 1000, "name": "{uuid}"}, "choice": {"dist": "round_robin"}},
  "publish": [{
    "id": "status",
    "producer": {"type": "pg-job", "schema": "pgboss", "connections": 4},
    "rate": "500/s", "arrival": "poisson", "topic": {"dist": "uniform"}, "size": "160B"
  }],
  "thresholds": [{"expr": "delivery.p95 < 300ms"}]
})";

constexpr std::string_view kRaw = R"({
  "name": "raw", "seed": 42,
  "target": {"preset": "raw", "url": "http://127.0.0.1:8080/"},
  "phases": [
    {"name": "ramp", "connections": {"to": 100, "rate": "100/s"}},
    {"name": "main", "hold": "30s", "measure": true}
  ]
})";

constexpr std::array kPresets = {
    PresetText{"runs", "many topics with a few watchers each; row changes through PostgreSQL",
               kRuns},
    PresetText{"topics", "fan-out over named topics; events published by HTTP", kTopics},
    PresetText{"events", "small events of a few tenants to all who watch them; through Redis",
               kEvents},
    PresetText{"realtime", "typed events to everybody who asked for the type; posted by HTTP",
               kRealtime},
    PresetText{"jobs", "one watcher a job of pg-boss; many small status changes", kJobs},
    PresetText{"raw", "any SSE URL, nothing published: connecting and first event only", kRaw},
};

}  // namespace

std::span<const PresetText> presets() {
  return kPresets;
}

const PresetText* find_preset(std::string_view name) {
  for (const PresetText& preset : kPresets) {
    if (preset.name == name) return &preset;
  }
  return nullptr;
}

}  // namespace rt

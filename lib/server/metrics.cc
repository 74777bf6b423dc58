#include "server/metrics.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <initializer_list>

namespace rt::server {
namespace {

using State = SurfaceHealth::State;

struct Label {
  std::string_view name;
  std::string_view value;
};

// In a label value: backslash, quote and line feed; everything else as it is.
void append_label_value(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n') {
      out.append("\\n");
    } else {
      out.push_back(c);
    }
  }
}

// One family after the other: its HELP and TYPE lines, then its samples.
class Exposition {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                   type);
  }

  template <typename Number>
  void sample(Number value, std::initializer_list<Label> labels = {}) {
    text_.append(name_);
    char before = '{';
    for (const Label& label : labels) {
      text_.push_back(before);
      text_.append(label.name).append("=\"");
      append_label_value(text_, label.value);
      text_.push_back('"');
      before = ',';
    }
    fmt::format_to(std::back_inserter(text_), "{}{}\n", labels.size() > 0 ? "} " : " ", value);
  }

  void counter(std::string_view name, std::string_view help, std::uint64_t value) {
    family(name, "counter", help);
    sample(value);
  }
  template <typename Number>
  void gauge(std::string_view name, std::string_view help, Number value) {
    family(name, "gauge", help);
    sample(value);
  }

  std::string take() { return std::move(text_); }

 private:
  std::string_view name_;
  std::string text_;
};

void append_connections(Exposition& out, const Counters& counters) {
  out.gauge("rt_connections", "Connections open now.", counters.connections.load());
  out.gauge("rt_http2_streams", "Streams of HTTP/2 open now.", counters.streams.load());
  out.gauge("rt_subscribers", "Connections that follow an event stream now.",
            counters.subscribers.load());
  out.counter("rt_connections_accepted_total", "Connections accepted.", counters.accepted);
  out.counter("rt_connections_refused_total",
              "Connections closed on arrival because there was no room.", counters.refused_full);
  out.counter("rt_requests_refused_total", "Requests answered with a status of 400 or above.",
              counters.requests_refused);
  out.counter("rt_slow_disconnects_total", "Subscribers closed because they left too much unread.",
              counters.slow_disconnects);
  out.counter("rt_expired_disconnects_total", "Subscribers closed because their token expired.",
              counters.expired_disconnects);
  out.counter("rt_events_dropped_total",
              "Events not handed to a subscriber because it was too slow.",
              counters.events_dropped);
  out.counter("rt_subscribers_resumed_total", "Subscribers that went on from their Last-Event-ID.",
              counters.resumed);
  out.counter("rt_subscribers_started_anew_total",
              "Subscribers whose Last-Event-ID could not be served.", counters.started_anew);
}

void append_events(Exposition& out, const Counters& counters) {
  out.counter("rt_events_total", "Changes turned into events.", counters.events);
  out.counter("rt_events_sent_total", "Events handed to connections.", counters.events_sent);
  out.counter("rt_sent_bytes_total", "Bytes written to connections.", counters.bytes_sent);
  out.counter("rt_shard_waits_total", "Times the hub waited for a shard's full ring.",
              counters.shard_waits);
  out.gauge("rt_runs", "Runs in memory.", counters.runs.load());
  out.gauge("rt_ready", "1 once the current state is complete.", counters.ready ? 1 : 0);
  out.counter("rt_history_written_bytes_total", "Bytes written to the history.",
              counters.history_bytes);
  out.counter("rt_history_segments_pruned_total", "Old segments of the history deleted.",
              counters.history_segments_pruned);
  out.counter("rt_access_log_lines_total", "Lines written to the access log.",
              counters.access_lines);
  out.counter("rt_access_log_lines_lost_total", "Lines of the access log that were lost.",
              counters.access_lines_lost);
  out.gauge("rt_history_failed", "1 if the history can no longer be written.",
            counters.history_failed ? 1 : 0);
}

void append_source(Exposition& out, const Counters& counters, const MetricsFacts& facts) {
  const SourceHealth& source = facts.source;
  out.family("rt_source_connected", "gauge", "1 while the source of rows is connected.");
  out.sample(source.connected ? 1 : 0, {{"kind", source.kind}});
  out.counter("rt_source_reconnects_total", "Times the connection to the source was made again.",
              source.reconnects);
  out.gauge("rt_replication_lag_bytes", "WAL that the database has and we have not confirmed.",
            source.lag_bytes);
  out.gauge("rt_replication_lag_seconds",
            "Age of the last commit taken while the source has more; else 0.",
            replication_lag_seconds(counters, source, facts.now));
  out.gauge("rt_last_commit_timestamp_seconds", "Commit time of the last change taken; 0: none.",
            static_cast<double>(counters.last_commit_us.load()) / 1e6);
  out.counter("rt_damaged_messages_total", "Messages of a source that could not be decoded.",
              counters.damaged_messages);
}

void append_surfaces(Exposition& out, const std::vector<NamedHealth>& surfaces) {
  constexpr std::array<std::pair<State, std::string_view>, 3> kStates = {
      {{State::ok, "ok"}, {State::degraded, "degraded"}, {State::unavailable, "unavailable"}}};
  if (surfaces.empty()) return;
  out.family("rt_surface_state", "gauge", "1 for the state that a surface is in.");
  for (const NamedHealth& each : surfaces) {
    for (const auto& [state, name] : kStates) {
      out.sample(each.health.state == state ? 1 : 0, {{"surface", each.surface}, {"state", name}});
    }
  }
  // Some only grow, some do not: which, is the surface's affair.
  out.family("rt_surface_count", "untyped", "What a surface counts, by its own names.");
  for (const NamedHealth& each : surfaces) {
    for (const auto& [name, count] : each.health.counts) {
      out.sample(count, {{"surface", each.surface}, {"count", name}});
    }
  }
}

}  // namespace

// Linux: proc(5), /proc/pid/statm: sizes in pages, total and resident first.
ProcessFacts read_process_facts() {
  ProcessFacts facts;
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  if (statm >> total_pages >> resident_pages) {
    facts.resident_bytes = resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    facts.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  return facts;
}

std::string metrics_text(const Counters& counters, const MetricsFacts& facts) {
  Exposition out;
  append_connections(out, counters);
  append_events(out, counters);
  append_source(out, counters, facts);
  append_surfaces(out, facts.surfaces);
  out.gauge("rt_shards", "I/O threads.", facts.shards);
  // These three have names of their own in Prometheus' client guidelines.
  out.gauge("process_resident_memory_bytes", "Resident memory.", facts.process.resident_bytes);
  out.family("process_cpu_seconds_total", "counter", "Processor time, user and system.");
  out.sample(facts.process.cpu_seconds);
  out.gauge("process_start_time_seconds", "Start of the server since the Unix epoch.",
            static_cast<double>(unix_us(facts.started)) / 1e6);
  return out.take();
}

}  // namespace rt::server

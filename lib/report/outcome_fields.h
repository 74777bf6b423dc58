// What a JSON report calls each part of an Outcome, said once for writing and reading. `F` is
// JsonWriter with const parts, or JsonReader. Names never change within a schema version. Internal
// to lib/report.
#pragma once

#include "load/outcome.h"
#include "report/json_fields.h"

namespace rt {

template <typename F, typename P>
void load_fields(F& f, P& phase) {
  const auto per_s = [&](std::uint64_t n) {
    return finite_json(static_cast<double>(n) / phase.duration_s);
  };
  f.value("offered", phase.offered);
  f.value("achieved", phase.sent);
  f.computed("offered_per_s", per_s(phase.offered));
  f.computed("achieved_per_s", per_s(phase.sent));
  f.value("skipped", phase.skipped);
  f.value("skipped_by_target", phase.skipped_by_target);
  f.value("acknowledged", phase.acknowledged);
  f.value("failed", phase.publish_failed);
  if (f.has("retried")) f.value("retried", phase.retried);
  f.latency("late", phase.late, phase.skipped);
}

template <typename F, typename P>
void phase_delivery_fields(F& f, P& phase) {
  f.latency(phase.delivery, phase.undelivered());
  f.value("expected", phase.expected);
  f.value("received", phase.received);
  f.computed("undelivered", phase.undelivered());
  f.value("untimed", phase.untimed);
  f.value("replayed", phase.replayed);
  f.value("events", phase.events);
}

template <typename F, typename P>
void phase_fields(F& f, P& phase) {
  f.value("name", phase.name);
  f.value("tag", phase.tag);
  f.value("measured", phase.measured);
  f.value("start_s", phase.start_s);
  f.value("duration_s", phase.duration_s);
  f.maybe("stationary", phase.stationary);
  f.object("load", [&](auto& in) { load_fields(in, phase); });
  f.object("delivery", [&](auto& in) { phase_delivery_fields(in, phase); });
  f.latency("intended", phase.intended, phase.undelivered());
  f.latency("publish", phase.publish, phase.sent - phase.acknowledged + phase.skipped);
  if (f.has("commit_to_wire")) f.latency("commit_to_wire", phase.commit_to_wire);
  f.latency("receive_queue", phase.receive_queue);
}

template <typename F, typename I>
void integrity_fields(F& f, I& i) {
  f.value("lost", i.lost);
  f.value("duplicate", i.duplicate);
  if (f.has("resent")) f.value("resent", i.resent);
  f.value("reorder", i.reorder);
  if (f.has("corrupt")) f.maybe("corrupt", i.corrupt);
  f.object("first", [&](auto& in) {
    in.value("lost", i.first_lost);
    in.value("duplicate", i.first_duplicate);
    in.value("reorder", i.first_reorder);
    if (in.has("corrupt")) in.value("corrupt", i.first_corrupt);
    if (in.has("unasked")) in.value("unasked", i.first_unasked);
    if (in.has("deaf")) in.value("deaf", i.first_deaf);
  });
  f.value("received", i.received);
  f.value("parsed", i.parsed);
  f.value("initial", i.initial);
  if (f.has("repeated")) f.value("repeated", i.repeated);
  f.value("foreign", i.foreign);
  if (f.has("unasked")) f.value("unasked", i.unasked);
  if (f.has("deaf")) f.value("deaf", i.deaf);
  f.value("comments", i.comments);
  f.value("stream_errors", i.stream_errors);
}

template <typename F, typename R>
void resume_fields(F& f, R& r) {
  f.value("losses", r.losses);
  f.value("attempts", r.attempts);
  f.value("resumed", r.resumed);
  f.value("replayed", r.replayed);
  f.value("gaps_signalled", r.gaps_signalled);
  f.value("gaps_silent", r.gaps_silent);
  f.value("storm_losses", r.storm_losses);
  f.latency("latency", r.latency);
  f.latency("replay", r.replay);
}

template <typename F, typename C>
void churn_fields(F& f, C& c) {
  f.value("left", c.left);
  f.value("replaced", c.replaced);
  f.value("held_back", c.held_back);
}

template <typename F, typename C>
void cohort_fields(F& f, C& cohort) {
  f.value("share", cohort.share);
  f.value("connections", cohort.connections);
  f.value("judged", cohort.judged);
  f.list("phases", cohort.phases, [](auto& in, auto& phase) { phase_fields(in, phase); });
}

template <typename F, typename W>
void worst_fields(F& f, W& worst) {
  f.value("metric", worst.metric);
  f.value("phase", worst.phase);
  f.ms("limit", worst.limit_us);
  f.ms("low", worst.low_us);
  f.ms("high", worst.high_us);
  f.value("never", worst.never);
  f.value("who", worst.who);
}

template <typename F, typename S>
void slow_delivery_fields(F& f, S& slow) {
  f.whole_ms("delivery", slow.delivery_us);
  f.value("phase", slow.phase);
  f.value("topic", slow.topic);
  f.value("event", slow.event);
  f.value("connection", slow.connection);
  f.object("at_us", [&](auto& in) {
    in.known("intended", slow.intended_unix_us);
    in.known("committed", slow.committed_unix_us);
    in.known("arrived", slow.arrived_unix_us);
    in.known("parsed", slow.parsed_unix_us);
  });
}

template <typename F, typename S>
void slowest_fields(F& f, S& slowest) {
  f.value("kept", slowest.most);
  f.list("deliveries", slowest.list, [](auto& in, auto& slow) { slow_delivery_fields(in, slow); });
}

template <typename F, typename S>
void floor_fields(F& f, S& floor) {
  f.ms("p50", floor.p50_us);
  f.ms("p95", floor.p95_us);
  f.ms("p99", floor.p99_us);
  f.real("events_per_s", floor.events_per_s);
  f.ms("timer_slop", floor.timer_slop_us);
  f.value("clock_source", floor.clock_source);
  f.real("clock_read_ns", floor.clock_read_ns);
}

template <typename F, typename C>
void client_fields(F& f, C& c) {
  f.known("bytes_per_connection", c.bytes_per_connection);
  f.value("rss_bytes", c.rss_bytes);
  f.value("busy", c.busy_max);
  f.value("cpu_cores", c.cpu_cores);
  f.value("steal", c.steal);
  f.value("throttled_us", c.throttled_us);
  f.latency("loop_lag", c.loop_lag);
  f.value("descriptors", c.descriptors);
  f.value("descriptor_limit", c.descriptor_limit);
  f.value("shards", c.shards);
  f.value("source_addresses", c.source_addresses);
}

template <typename F, typename O>
void target_fields(F& f, O& outcome) {
  auto& t = outcome.target;
  f.value("url", outcome.target_url);
  f.value("preset", outcome.preset);
  f.value("same_host", t.same_host);
  f.value("sampled", t.sampled);
  f.known("pid", t.pid);
  f.known("rss_bytes", t.rss_bytes);
  f.known("bytes_per_connection", t.bytes_per_connection);
  f.known("cpu_cores", t.cpu_cores);
}

template <typename F, typename O>
void env_fields(F& f, O& outcome) {
  auto& e = outcome.env;
  f.value("host", e.host);
  f.value("kernel", e.kernel);
  f.value("cpu", e.cpu);
  f.value("cores", e.cores);
  f.value("governor", e.governor);
  f.value("memory_bytes", e.memory_bytes);
  f.object("limits", [&](auto& in) {
    in.value("descriptors_soft", e.descriptor_soft);
    in.value("descriptors_hard", e.descriptor_hard);
    in.value("port_range", e.port_range);
    in.value("cgroup_cpu", e.cgroup_cpu);
    in.value("cgroup_memory", e.cgroup_memory);
  });
  f.object("clock", [&](auto& in) {
    in.value("mode", outcome.clock.mode);
    in.ms("error_ms", outcome.clock.error_us);
    in.value("steps", outcome.clock.steps);
    in.ms("largest_step_ms", outcome.clock.largest_step_us);
  });
  f.object("kernel_counts", [&](auto& in) {
    in.value("listen_overflows", outcome.kernel.listen_overflows);
    in.value("listen_drops", outcome.kernel.listen_drops);
    in.value("receive_pruned", outcome.kernel.receive_pruned);
  });
}

template <typename F, typename S>
void second_fields(F& f, S& s) {
  f.value("at_s", s.at_s);
  f.value("connections", s.connections);
  f.value("offered", s.offered);
  f.value("achieved", s.sent);
  f.value("received", s.received);
  f.ms("p50", s.p50_us);
  f.ms("p95", s.p95_us);
  f.ms("max", s.max_us);
  f.ms("late_max", s.late_max_us);
  f.value("measured", s.measured);
  f.slots("hist", s.delivery);
}

template <typename F, typename O>
void end_fields(F& f, O& outcome) {
  f.value("duration_s", outcome.duration_s);
  f.computed("partial", outcome.partial());
  f.object("ended", [&](auto& in) {
    in.value("signal", outcome.interrupted_by);
    in.value("aborted", outcome.aborted);
    if (in.has("threshold")) in.value("threshold", outcome.broken_claim);
    in.value("internal_fault", outcome.internal_fault);
  });
  f.value("publishes", outcome.publishes);
  f.value("delivery_from_commit", outcome.delivery_from_commit);
}

}  // namespace rt

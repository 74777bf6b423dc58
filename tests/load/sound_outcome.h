// A run that every gate is content with, to be spoilt one figure at a time.
#pragma once

#include "load/outcome.h"
#include "load/scenario.h"

namespace rt::testing {

inline Scenario sound_scenario() {
  Scenario scenario;
  scenario.name = "sound";
  scenario.seed = 42;
  scenario.sha256 = "5a";
  scenario.thresholds.push_back(parse_threshold("delivery.p95 < 300ms").value());
  return scenario;
}

// 6,000 events to two subscribers each over 20 s; 2 ms to 22 ms from commit to parsed.
inline PhaseOutcome sound_phase() {
  PhaseOutcome main;
  main.name = "main";
  main.measured = true;
  main.start_s = 2.4;
  main.duration_s = 20;
  main.offered = main.sent = main.acknowledged = main.events = 6000;
  main.expected = main.received = 12'000;
  for (std::int64_t n = 0; n < 6000; ++n) {
    main.late.record(50 + n % 160);
    main.publish.record(900 + n % 1000);
  }
  for (std::int64_t n = 0; n < 12'000; ++n) {
    main.delivery.record(2000 + n * 5 / 3);
    main.intended.record(3000 + n * 5 / 3);
    main.commit_to_wire.record(1900 + n * 5 / 3 - n % 100);
    main.receive_queue.record(100 + n % 100);
  }
  return main;
}

inline Outcome sound_outcome() {
  Outcome outcome;
  outcome.scenario = "sound";
  outcome.scenario_sha256 = "5a";
  outcome.seed = 42;
  outcome.preset = "runs";
  outcome.target_url = "http://127.0.0.1:8080/v1/runs/stream";
  outcome.start = from_unix_us(1'774'742'400'000'000);
  outcome.duration_s = 23.5;
  outcome.connections.asked = outcome.connections.held = 2000;
  for (std::int64_t n = 0; n < 2000; ++n) {
    outcome.connect.record(400 + n);
    outcome.first_event.record(900 + n);
  }
  outcome.phases.push_back(sound_phase());
  outcome.integrity.received = 12'000;
  outcome.integrity.initial = 2000;
  outcome.integrity.parsed = 14'000;
  outcome.integrity.comments = 200;
  outcome.slowest.most = 2;
  outcome.slowest.list = {{22'000, "main", "run-17", 11, 212, 1'774'742'410'000'000,
                           1'774'742'410'001'000, 1'774'742'410'022'900, 1'774'742'410'023'000},
                          {21'990, "main", "<b>", 12, 7, 1'774'742'411'000'000,
                           1'774'742'411'001'000, 0, 1'774'742'411'022'990}};
  outcome.client.busy_max = 0.31;
  outcome.client.cpu_cores = 0.4;
  outcome.client.rss_bytes = 20'000'000;
  outcome.client.bytes_per_connection = 240;
  outcome.client.descriptors = 2040;
  outcome.client.descriptor_limit = 20'000;
  outcome.client.shards = 1;
  outcome.client.source_addresses = {"127.0.1.1"};
  for (std::int64_t n = 0; n < 200; ++n) outcome.client.loop_lag.record(60 + n);
  outcome.target.sampled = true;
  outcome.target.pid = 4711;
  outcome.target.rss_bytes = 60'000'000;
  outcome.target.bytes_per_connection = 11'264;
  outcome.target.cpu_cores = 0.7;
  outcome.clock.error_us = 1;
  for (int second = 0; second < 20; ++second) {
    SecondSample sample;
    sample.at_s = 2.4 + second;
    sample.connections = 2000;
    sample.offered = sample.sent = 300;
    sample.received = 600;
    sample.p50_us = 12'000;
    sample.p95_us = 21'000 + second % 3 * 100;
    sample.max_us = 22'000;
    sample.late_max_us = 210;
    sample.measured = true;
    outcome.series.push_back(sample);
  }
  outcome.env.host = "box";
  outcome.env.kernel = "6.1.0";
  outcome.env.cpu = "some CPU";
  outcome.env.cores = 2;
  outcome.env.memory_bytes = 25'769'803'776;
  outcome.env.tool_version = "0.1.0";
  return outcome;
}

}  // namespace rt::testing

// The part of a scenario that says what is published: through what, when, about what, how large.
// Plain values; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "load/payload_template.h"

namespace rt {

enum class Arrival : std::uint8_t { constant, poisson, burst };

enum class ChoiceKind : std::uint8_t { uniform, zipf, one, round_robin, hot, groups, file };

// Topics of a file, by number, and the sums of their weights up to and with each.
struct TopicWeights {
  std::vector<std::uint32_t> topics;
  std::vector<std::uint64_t> up_to;
};

// Which of the topics an event or connection has.
struct Choice {
  ChoiceKind kind = ChoiceKind::round_robin;
  double s = 1.0;            // exponent of zipf
  double share = 0.9;        // hot: of the events, for the first `topics`; the rest: uniform
  std::uint64_t topics = 1;  // hot
  std::uint64_t size = 1;    // groups: neighbours that share a topic
  std::string file = {};     // file: topic_file.h
  std::shared_ptr<const TopicWeights> weights = {};  // of that file; null until it is read
};

enum class ProducerKind : std::uint8_t {
  pg_update,
  pg_insert,
  pg_notify,
  pg_job,
  http_post,
  redis_publish,
  redis_stream,
};
const char* producer_name(ProducerKind kind);

// From `at` (since publishing began) on, `per_s` events a second, reached linearly over `ramp`.
struct RateStep {
  Duration at{};
  double per_s = 0;
  Duration ramp{};
};

struct SizeSpec {
  enum class Dist : std::uint8_t { fixed, uniform, lognormal };
  Dist dist = Dist::fixed;
  std::uint32_t low = 256;   // the size; the least; the median
  std::uint32_t high = 256;  // uniform: the most; lognormal: the 99th percentile
};
// Payloads beyond this test a server's limits, not its speed.
inline constexpr std::uint32_t kPayloadBytesMax = 1 << 20;

struct PublishSpec {
  std::string id;
  ProducerKind producer = ProducerKind::pg_update;
  std::string table = "task_run";  // pg-update, pg-insert
  std::string schema = "pgboss";   // pg-job
  std::string url;                 // http-post: with {topic}; redis: redis://...
  std::string channel;             // NOTIFY or Redis channel, or key of the stream
  std::string body;                // {topic}, {payload}
  unsigned connections = 4;        // of the producer to the database or server
  bool idempotency = false;        // http-post: a key with each event, and retries
  std::uint32_t batch = 1;         // pg-insert: rows that are due together and share a statement
  std::vector<RateStep> rate;      // ascending; the first at 0; empty with a recording
  Arrival arrival = Arrival::constant;
  std::uint64_t burst = 1;  // events that are due together
  std::string archive;      // a recording: its instants, topics and sizes take the place of these
  double archive_speed = 1;
  Choice topic{ChoiceKind::uniform};
  SizeSpec size;          // of the payload
  double entropy = 0;     // share of the filler that is random
  PayloadTemplate value;  // in each payload
  std::uint32_t max_in_flight =
      10'000;  // sent and not acknowledged; beyond it events are late, and counted
};

}  // namespace rt

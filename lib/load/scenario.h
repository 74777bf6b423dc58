// A scenario: what a run does, read from a JSON file with comments (scenarios/README.md).
// Reading is strict: an unknown key, a wrong type or a wrong unit is an error with file, line and
// path, and nothing is started. Plain values; any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/socket.h"
#include "load/scenario_behaviour.h"
#include "load/scenario_publish.h"
#include "load/scenario_request.h"
#include "load/threshold.h"

namespace rt {

enum class Preset : std::uint8_t { runs, topics, events, realtime, jobs, raw };

const char* preset_name(Preset preset);

struct TargetSpec {
  Preset preset = Preset::runs;
  std::string url;          // of the stream; {topic} is replaced by the subscriber's topic
  std::string publish_url;  // of producers that post, if they name none; {topic} is replaced
  std::string pg;           // connection string or "service=NAME"; empty: the environment's
  RequestSpec request;
  // Of the server, to sample its memory and processor time; the file goes first.
  std::string pid_file;
  std::string metrics_url;
};

// The ramp of a phase: connections are opened on an absolute schedule until `to` are held.
struct ConnectionGoal {
  std::uint64_t to = 0;
  double rate_per_s = 1000;
  Arrival arrival = Arrival::constant;
};

// A phase with a connection goal ends when the goal holds, or at `max`; then `hold` begins, if any.
// Publishing starts with the first phase that has `hold` and ends with the last measured phase;
// phases after that only drain.
struct PhaseSpec {
  std::string name;
  std::string tag;
  std::optional<ConnectionGoal> connections;
  Duration hold{};
  Duration max{};  // bound on the ramp; 0: twice its planned duration and 10 s
  bool measure = false;
  // The hold lasts until latencies have settled: `hold` at least, `max` at most (0: ten times
  // that).
  bool until_stationary = false;
  Duration longest_hold() const { return max > Duration::zero() ? max : 10 * hold; }
};

// As many types as one stream of realtime may ask for.
inline constexpr std::uint32_t kTopicsOfStreamMax = 64;
inline constexpr std::uint64_t kMostTopics = 10'000'000;

// "filter": a share of the connections asks for these topics, and not for what "choice" gives it.
struct FilterSpec {
  double share = 0;
  std::vector<std::uint32_t> topics{};  // ascending; empty: there is no filter
};

struct SubscriptionSpec {
  // Of the number of topics that one stream brings. A fixed one is uniform between equals.
  enum class PerConnection : std::uint8_t { uniform, zipf, lognormal };

  std::uint64_t topics = 1;
  std::string name = "topic-{n}";  // {n}: 0 .. topics-1; {uuid}: the same as a UUID
  // In place of `name`: those of the files that the scenario has its topics from.
  std::shared_ptr<const std::vector<std::string>> names;
  Choice choice;  // the topic of connection k
  // "per_connection": how many topics one stream brings, at least and at most.
  std::uint32_t least_topics = 1;
  std::uint32_t most_topics = 1;
  PerConnection per_connection = PerConnection::uniform;
  double topics_s = 1;    // zipf: exponent; the least number is the most frequent
  double topics_p50 = 1;  // lognormal: median and 99th percentile, before it is cut to the bounds
  double topics_p99 = 1;
  FilterSpec filter;
  // The most topics that any connection has. With a filter there is room for two at least, so that
  // events say what they are about, and one that was not asked for is seen.
  std::uint32_t places() const {
    if (filter.topics.empty()) return most_topics;
    return std::max({most_topics, static_cast<std::uint32_t>(filter.topics.size()), 2U});
  }
  std::string topic_name(std::uint64_t topic) const;
};

// What is judged. Whatever is left out here is counted and shown all the same.
struct IntegritySpec {
  bool loss = true;
  bool duplicate = true;
  bool order = true;
  bool content = false;           // a check value in each payload; looked at only if asked for
  bool allow_resent = false;      // duplicates that a resume brought again
  bool expect_gap_signal = true;  // events may be missing after a resume only if the target says so
};

// From where connections begin, and how many threads hold them.
struct SourcesSpec {
  std::vector<std::string> addresses;  // empty: as many as it takes
  unsigned shards = 0;                 // 0: as many as it takes
  io::PortRange ports;                 // from which subscribers' connections leave
};

struct ClockSpec {
  enum class Mode : std::uint8_t {
    automatic,  // probed if the database is on another host
    same_host,  // must be this machine's
    probe       // probed wherever it is
  };
  Mode mode = Mode::automatic;
  Duration max_error = std::chrono::milliseconds(2);
};

struct ReportSpec {
  std::string dir = "out";
  std::vector<std::string> formats;  // "json": DIR/NAME.json
  std::size_t keep_worst = 100;      // deliveries, the slowest
};

struct Scenario {
  std::string name;
  std::uint64_t seed = 1;
  TargetSpec target;
  std::vector<PhaseSpec> phases;
  SubscriptionSpec subscriptions;
  std::vector<PublishSpec> publish;
  ReconnectSpec reconnect;
  ChurnSpec churn;
  std::vector<CohortSpec> cohorts;
  std::vector<FaultSpec> faults;
  SourcesSpec sources;
  IntegritySpec integrity;
  ClockSpec clock;
  std::vector<Threshold> thresholds;
  std::vector<std::string> waived_gates;
  bool strict_gates = false;  // target and client on one machine: INVALID instead of a warning
  ReportSpec report;
  std::string sha256;    // over `expanded`
  std::string expanded;  // canonical JSON: presets and overrides applied, keys sorted, one line

  std::uint64_t connections() const;  // the most any phase asks for
  std::vector<bool> measured_phases() const;
  std::uint32_t max_in_flight() const;  // over all entries of publish
  // Index of the first and one past the last phase in which events are published; equal: none.
  std::size_t publish_begin() const;
  std::size_t publish_end() const;
};

// Reads a scenario file, or "preset:runs". Overrides are "PATH=VALUE" as given to --set, applied in
// order: "phases.main.hold=60s", "publish.0.rate=2k/s", and the short names "load.connections" and
// "load.rate".
Result<Scenario> read_scenario(const std::string& path,
                               const std::vector<std::string>& overrides = {});
// The same from text; `origin` stands for the file name in messages.
Result<Scenario> parse_scenario(std::string_view text, const std::string& origin,
                                const std::vector<std::string>& overrides = {});
// As a report keeps it, in its expanded form: files that it names are those of another day or
// machine, and are not read.
Result<Scenario> parse_stored_scenario(std::string_view text, const std::string& origin);

}  // namespace rt

// Everything one run measured. The engine fills it; gates, thresholds, verdict and reports read it.
// Plain values; no invariants beyond the sums named here, which the balance gate checks.
// Built by one thread (shards keep a PhaseOutcome of their own and add() them at the end).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "load/histogram.h"

namespace rt {

// Why a connection was never held, or did not stay. Each has a name and somebody to blame.
enum class ConnectFailure : std::uint8_t {
  descriptors,   // EMFILE, ENFILE
  ports,         // EADDRNOTAVAIL, EADDRINUSE on the source side
  memory,        // ENOMEM, ENOBUFS
  permission,    // EACCES, EPERM
  unreachable,   // ENETUNREACH, EHOSTUNREACH
  refused,       // ECONNREFUSED
  timed_out,     // no answer in time, at any step
  reset,         // ECONNRESET, EPIPE
  closed,        // the peer ended it before or after the response head
  tls,           // handshake or certificate
  status,        // an HTTP status other than 200
  content_type,  // 200, but not text/event-stream
  protocol,      // bytes that are not HTTP or not a valid stream
  count_,
};
inline constexpr std::size_t kConnectFailures = static_cast<std::size_t>(ConnectFailure::count_);
enum class Blame : std::uint8_t { client, network, target };
const char* connect_failure_name(ConnectFailure failure);  // "descriptors", ...
Blame connect_failure_blame(ConnectFailure failure);
const char* blame_name(Blame blame);

// Balance: asked == held + sum(failed) + dropped + absent + not_tried.
struct ConnectionCounts {
  std::uint64_t asked = 0;
  std::uint64_t held = 0;       // open and answered when the last measured phase ended
  std::uint64_t dropped = 0;    // held once, lost, and not back when the last measured phase ended
  std::uint64_t absent = 0;     // by plan: it left, or was away when that phase ended
  std::uint64_t not_tried = 0;  // the run ended before its turn
  std::array<std::uint64_t, kConnectFailures> failed{};  // never held, by the last reason
  std::string first_failure;                             // one line, with address and reason

  void add(const ConnectionCounts& other);
  void count(ConnectFailure failure) { ++failed[static_cast<std::size_t>(failure)]; }
  std::uint64_t failed_total() const;
  std::uint64_t failed_by(Blame blame) const;
};

// What belongs to one phase. Deliveries count in the phase in which their event was due to be
// published, whenever they arrive.
struct PhaseOutcome {
  std::string name;
  std::string tag;
  bool measured = false;
  double start_s = 0;  // since the run began
  double duration_s = 0;
  // Of a phase that lasts until latencies have settled: whether they had before its `max`.
  std::optional<bool> stationary;

  // Publishing. Balance: offered == sent + skipped; what was sent and is neither acknowledged nor
  // failed was never answered.
  std::uint64_t offered = 0;  // events the schedule wanted
  std::uint64_t sent = 0;     // given to the database or server
  std::uint64_t skipped = 0;  // never sent: the phase, the run or max_in_flight came to an end
  std::uint64_t skipped_by_target = 0;  // the part of `skipped` owed to answers that did not come
  std::uint64_t acknowledged = 0;       // committed or accepted
  std::uint64_t publish_failed = 0;     // answered with an error
  std::uint64_t retried = 0;  // requests sent again, with the key of the event: no event more

  // Deliveries. Balance: expected == received + undelivered(); delivery.count() + untimed +
  // replayed == received.
  std::uint64_t events = 0;    // acknowledged events with at least one delivery due (for intervals)
  std::uint64_t expected = 0;  // (event, subscriber) pairs due
  std::uint64_t received = 0;  // of those, how many arrived at least once
  std::uint64_t untimed = 0;   // of those, how many the database's commit time is not known of
  std::uint64_t replayed = 0;  // of those, how many came by way of a resume: no live latency
  std::uint64_t undelivered() const { return expected > received ? expected - received : 0; }

  Histogram late;      // actual - intended instant of publishing: the tool's own lateness
  Histogram publish;   // intended instant to acknowledged
  Histogram delivery;  // commit (database clock) to parsed; received but for the untimed
  Histogram intended;  // intended instant to parsed; one value per received delivery
  // Stages of what the kernel stamped; empty when it stamped nothing.
  Histogram commit_to_wire;  // commit (database clock) to kernel receive stamp
  Histogram receive_queue;   // wire_to_parse: kernel receive stamp to parsed

  void add(const PhaseOutcome& other);  // counts and histograms; names and times stay
};

// Over all connections, reconnects included, for deliveries due in any phase.
// Balance: parsed == received + duplicate + initial + repeated + foreign.
struct IntegrityCounts {
  std::uint64_t lost = 0;       // due, and never arrived by the end of the drain
  std::uint64_t duplicate = 0;  // arrived again
  std::uint64_t resent = 0;     // of the duplicates: what a resume brought once more
  std::uint64_t reorder = 0;    // arrived after a later one of the same topic
  // Arrived, and is not what was published; none: the scenario did not ask. Counted beside the
  // others: what it can be told to be is received or duplicate all the same, the rest is foreign.
  std::optional<std::uint64_t> corrupt{};
  std::string first_lost;  // "topic run-17, event 4711, connection 212"
  std::string first_duplicate;
  std::string first_reorder;
  std::string first_corrupt{};
  std::string first_unasked{};
  std::string first_deaf{};
  std::uint64_t parsed = 0;    // events the parsers dispatched, counted apart from the ledger
  std::uint64_t received = 0;  // matched to a delivery that was due, first arrival
  std::uint64_t initial = 0;   // first state of a subscription, not a delivery
  std::uint64_t repeated = 0;  // arrived before, and asked for again (a stale Last-Event-ID)
  // Subscribers that joined while events were published and got none of those that were taken more
  // than a second later: how many each of them lost is not known.
  std::uint64_t deaf = 0;
  std::uint64_t unasked = 0;   // of the foreign: of this run, and not what the stream asked for
  std::uint64_t foreign = 0;   // matched nothing the run published (other writers on the target)
  std::uint64_t comments = 0;  // heartbeats; never deliveries
  std::uint64_t stream_errors = 0;  // events that could not be understood
};

struct ResumeCounts {
  std::uint64_t losses = 0;  // of open streams; each is resumed once, or never
  std::uint64_t attempts = 0;
  std::uint64_t resumed = 0;
  std::uint64_t replayed = 0;  // deliveries that came by way of a resume
  std::uint64_t gaps_signalled = 0;
  std::uint64_t gaps_silent = 0;   // missing after a resume, and nobody said so
  std::uint64_t storm_losses = 0;  // connections that storms took
  Histogram latency;               // socket lost to stream open again
  Histogram replay;                // commit (or intended instant) to parsed, of what was replayed
};

// Subscribers that leave when their time is over, and those that take their place.
struct ChurnCounts {
  std::uint64_t left = 0;
  std::uint64_t replaced = 0;
  std::uint64_t held_back = 0;  // leavings that rate_cap put off
};

// Connections that behave in a way of their own. Their deliveries are in no phase of the run.
struct CohortOutcome {
  std::string name;
  double share = 0;  // asked for
  std::uint64_t connections = 0;
  bool judged = true;  // false: it reads slowly on purpose, and loses nothing of others'
  std::vector<PhaseOutcome> phases;  // deliveries only

  PhaseOutcome measured() const;
};

// The connection or topic whose p95 is the highest, for a threshold that asks for it. The p95 is
// known to lie between two bounds; the threshold's limit never lies between them.
struct WorstCase {
  std::string metric;   // worst_conn | worst_topic
  std::string phase;    // as the threshold has it; empty: all measured phases
  double limit_us = 0;  // the threshold's
  double low_us = 0;    // the p95 is above this
  double high_us = 0;   // and at most this,
  bool never = false;   // or it falls on what never came
  std::string who;      // "connection 212, topic run-17"; "topic run-17"
};

// One of the slowest deliveries. Instants are of the wall clock, in microseconds since 1970; 0: not
// known.
struct SlowDelivery {
  std::int64_t delivery_us = 0;
  std::string phase;
  std::string topic;
  std::uint32_t event = 0;       // of its topic, from 1
  std::uint64_t connection = 0;  // by its number in the whole run
  std::int64_t intended_unix_us = 0;
  std::int64_t committed_unix_us = 0;
  std::int64_t arrived_unix_us = 0;  // the kernel's receive stamp
  std::int64_t parsed_unix_us = 0;
};
struct SlowDeliveries {
  std::size_t most = 0;            // how many were to be kept
  std::vector<SlowDelivery> list;  // slowest first
};

// The measuring side. Shares are 0..1 over the measured phases.
struct ClientUse {
  double busy_max = 0;             // of the busiest thread
  double cpu_cores = 0;            // of the whole process
  double steal = 0;                // taken by the hypervisor
  std::uint64_t throttled_us = 0;  // by the cgroup's quota
  Histogram loop_lag;              // due to run, until run: a canary timer in every shard
  std::uint64_t rss_bytes = 0;
  double bytes_per_connection = 0;  // idle, user space, ledger included; 0: not measured
  std::uint64_t descriptors = 0;
  std::uint64_t descriptor_limit = 0;
  unsigned shards = 0;
  std::vector<std::string> source_addresses;
};

// The measured side, sampled from /proc when its process is known.
struct TargetUse {
  bool sampled = false;
  bool same_host = false;
  std::int64_t pid = 0;
  std::uint64_t rss_bytes = 0;
  // (RSS with all connections open and nothing published yet - RSS before) / connections held
  double bytes_per_connection = 0;
  double cpu_cores = 0;
};

struct ClockProof {
  std::string mode = "same-host";  // same-host: one machine's clock on both ends | probe
  double error_us = 0;             // bound on what the comparison of two clocks can be off by
  std::uint64_t steps = 0;         // jumps of the wall clock against the monotonic one
  double largest_step_us = 0;
};

// What this machine's kernel counted during the run (/proc/net/netstat), of all its processes.
struct KernelCounts {
  std::uint64_t listen_overflows = 0;  // connections that an accept queue had no room for
  std::uint64_t listen_drops = 0;
  std::uint64_t receive_pruned = 0;  // packets thrown away because receive buffers were full
};

// The tool's own floor on this machine: the same engine against a null server in the process.
struct Floor {
  double p50_us = 0;
  double p95_us = 0;
  double p99_us = 0;
  double events_per_s = 0;   // deliveries, an event to a hundred subscribers
  double timer_slop_us = 0;  // p99 of how late an event is sent
  double clock_read_ns = 0;
  std::string clock_source{};
};

// One second of the run, counted when it happened.
struct SecondSample {
  double at_s = 0;
  std::uint64_t connections = 0;  // held at the end of the second
  std::uint64_t offered = 0;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  double p50_us = 0;  // delivery
  double p95_us = 0;
  double max_us = 0;
  double late_max_us = 0;
  bool measured = false;       // in a measured phase
  Histogram::Sparse delivery;  // what p50, p95 and max are of, so that shards can be added up
};

// Which part of a run this is: one of several shards (rtbench run --shard), or some of them merged.
struct RunPart {
  std::string run_id;
  unsigned shards = 1;         // of the whole run
  std::vector<unsigned> have;  // their numbers, ascending
  bool is_whole() const { return have.size() == shards; }
};

struct Environment {
  std::string host;
  std::string kernel;
  std::string cpu;
  unsigned cores = 0;
  std::uint64_t memory_bytes = 0;
  std::string governor;
  std::uint64_t descriptor_soft = 0;
  std::uint64_t descriptor_hard = 0;
  std::string port_range;
  std::string cgroup_cpu;
  std::string cgroup_memory;
  std::string tool_version;
  std::string build;
};

struct Outcome {
  std::string scenario;
  std::string scenario_sha256;
  std::uint64_t seed = 0;
  std::string preset;
  std::string target_url;
  bool delivery_from_commit =
      true;               // false: no database clock, delivery counts from the intended instant
  bool publishes = true;  // false (raw): nothing is due, so delivery cannot be measured

  std::optional<RunPart> part;  // of a run on several machines
  WallTime start{};
  double duration_s = 0;
  int interrupted_by = 0;      // signal number; not 0: the report is partial
  std::string aborted;         // why the run ended before its plan did, or empty
  std::string broken_claim;    // the threshold with "abort" that ended it, as measured; or empty
  std::string internal_fault;  // a broken invariant of the tool, or empty
  bool partial() const {
    return interrupted_by != 0 || !aborted.empty() || !broken_claim.empty() ||
           !internal_fault.empty();
  }

  ConnectionCounts connections;
  Histogram connect;        // connect() to response head
  Histogram tls;            // handshake, from the TCP connection standing; empty without TLS
  Histogram first_event;    // connect() to first event
  Histogram heartbeat_gap;  // between two signs of life (event or comment) of one stream
  std::vector<PhaseOutcome> phases;
  IntegrityCounts integrity;
  ResumeCounts resume;
  ChurnCounts churn;
  std::vector<CohortOutcome> cohorts;
  std::vector<WorstCase> worst;  // of thresholds that ask for one
  SlowDeliveries slowest;
  ClientUse client;
  TargetUse target;
  ClockProof clock;
  KernelCounts kernel;
  std::optional<Floor> selftest;
  std::vector<SecondSample> series;
  Environment env;
  std::vector<std::string> notes;  // what this run is not, and anything a reader should know

  // All measured phases as one; or the phase of that name (nullopt: there is none).
  PhaseOutcome measured() const;
  std::optional<PhaseOutcome> phase(const std::string& name) const;
};

}  // namespace rt

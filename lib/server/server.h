// The embedded realtime server: event streams over HTTP/1.1 and HTTP/2 from any source of WAL
// records, or from rows published over HTTP. Starts and stops threads of its own: N shards, the
// hub, the history's writer. Construction, feed and stop belong to one thread each as noted; the
// rest is thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/current_tls.h"
#include "io/socket.h"
#include "pipe/source.h"
#include "server/health.h"
#include "server/history.h"
#include "server/run_filter.h"
#include "server/shard.h"
#include "server/surface_parts.h"

namespace rt::server {

class Hub;

struct ServerOptions {
  io::Address listen;              // port 0: the kernel picks one, see address()
  Fd listener;                     // listens already, on that address; or none
  std::string table = "task_run";  // or "schema.table"
  // Where /health and its like are, and /metrics too, in the clear; nothing: they are at `listen`.
  std::optional<io::Address> health_listen;
  std::vector<std::string> health_paths = {"/health", "/healthz"};
  // Sockets; sets the number of shards, with the descriptor limit.
  std::size_t connections_max = 400'000;
  std::size_t http2_streams_max = 256;  // at once on one connection
  // Of HTTP/2, at once on all connections; 0: four times connections_max. One more is refused.
  std::size_t streams_max = 0;
  // I/O threads; 0: what the processors and connections_max need. Capped at Hub::kShardsMax.
  std::size_t shards = 0;
  std::size_t unsent_bytes_max = 16 * 1024;  // of one subscriber, in the kernel
  std::optional<std::string> history;        // directory of the archive
  HistoryLimits history_limits;              // beyond: its oldest segments are deleted
  std::size_t history_ring_bytes = std::size_t{64} << 20;  // the past kept in memory
  Duration keepalive_every = std::chrono::seconds(15);
  bool keepalive_as_event = false;
  std::size_t backlog_bytes_max = 64 * 1024;  // unsent events of one subscriber; more closes it
  TagsMatch tags_match = TagsMatch::any;
  // A request must be complete this long after its connection, or the answer before it; it also
  // bounds how long an idle connection is kept.
  Duration request_time = std::chrono::seconds(30);
  http1::RequestLimits limits;                  // beyond: 413, 414, 431
  bool compat_go = false;                       // runs as the Go service has them: RunGoFrames
  bool accepts_publish = false;                 // POST /v1/runs: no database behind
  std::function<SourceHealth()> source_health;  // thread-safe; default: memory
  bool runs = true;                             // the runs surface is served
  // feed() will bring the state; until it is complete, subscribers of rows wait.
  bool expects_rows = true;
  std::vector<SurfaceParts> surfaces;         // the others; asked for a path in this order
  std::shared_ptr<const io::TlsContext> tls;  // null: connections are not encrypted
  bool metrics = true;                        // GET /metrics is answered
  std::shared_ptr<const CorsPolicy> cors;     // null: each surface says what it says
  std::optional<AccessLogOptions> access_log;
};

class Server {
 public:
  // Reads the history back, then listens. clock outlives the server.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, const Clock& clock);
  ~Server();

  const io::Address& address() const { return options_.listen; }
  const std::optional<io::Address>& health_address() const { return options_.health_listen; }
  // Of links_, which are complete before the first shard runs: it may be asked before the last
  // does.
  std::size_t shard_count() const { return links_.size(); }
  std::size_t connections_max() const { return connections_max_; }
  const Counters& counters() const { return counters_; }
  std::string health() const;
  std::string metrics() const;
  bool serves_runs() const { return options_.runs; }
  std::string surface_names() const;  // of those that are served: "runs, topics"
  // Those that answer 503, and why.
  std::vector<NamedHealth> unavailable_surfaces() const;

  // Where a source must go on, if the history holds a state.
  const std::optional<History::Resume>& resume() const { return resume_; }
  // Runs the source on the calling thread and feeds what it yields to the subscribers, until it
  // ends, fails, or is stopped. Confirms to it what is durable (or, without a history, taken).
  Result<void> feed(Source& source, const std::stop_token& stop);
  // The same for the source of another surface; on a thread of its own.
  Result<void> feed(Surface surface, Source& source, const std::stop_token& stop);

  // Connections from now on begin with this one; not null unless it was null at the start.
  void set_tls(std::shared_ptr<const io::TlsContext> context) { tls_.set(std::move(context)); }

  // The way out, before stop() and while sources still feed: from now on there are no new
  // connections, what is to be published is refused, and health says so. What was accepted is
  // delivered within `limit`, everyone is told, and the shards end. Does not wait; is_drained()
  // says when. Again: with another limit.
  void begin_drain(Duration limit);
  bool is_drained() const;
  DrainReport drain_report() const { return drain_.report(); }
  // Its file has been moved away: a new one begins. Nothing without an access log.
  void reopen_access_log() {
    if (access_log_ != nullptr) access_log_->reopen();
  }

  // Says goodbye to every subscriber, writes what is left, joins all threads.
  void stop();

 private:
  Server(ServerOptions options, const Clock& clock);
  Result<void> open();
  Result<void> start_shards();
  std::size_t plan_shards();
  SourceHealth source_health() const;
  SurfaceHealth runs_health(const SourceHealth& source) const;
  std::vector<NamedHealth> surface_health(const SourceHealth& source) const;

  ServerOptions options_;
  const Clock& clock_;
  const WallTime started_;
  Counters counters_;
  Drain drain_;
  io::CurrentTls tls_;
  std::size_t connections_max_ = 0;
  std::size_t connections_per_shard_ = 0;
  std::optional<History::Resume> resume_;
  std::atomic<Source*> source_{nullptr};   // who is to be told what is durable
  std::unique_ptr<AccessLog> access_log_;  // or null
  std::vector<std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<Hub> hub_;
  History* history_ = nullptr;  // the hub's
  std::vector<std::jthread> shard_threads_;
  std::jthread hub_thread_;
};

}  // namespace rt::server

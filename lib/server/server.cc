#include "server/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "base/log.h"
#include "io/descriptors.h"
#include "server/hub.h"
#include "server/metrics.h"
#include "server/metrics_endpoint.h"
#include "server/shard.h"

namespace rt::server {
namespace {

bool is_unavailable(const SurfaceParts& parts) {
  return parts.health && parts.health().state == SurfaceHealth::State::unavailable;
}

}  // namespace

Server::Server(ServerOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), started_(clock.wall()) {}

Server::~Server() {
  stop();
}

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, const Clock& clock) {
  std::unique_ptr<Server> server(new Server(std::move(options), clock));
  RT_CHECKED(server->open());
  return server;
}

// One shard per processor, or as many as the descriptor limit asks for: each has a table of its
// own.
std::size_t Server::plan_shards() {
  constexpr std::size_t kOtherDescriptors = 64;  // standard streams, poller, listener, wake-ups
  const std::size_t table =
      std::max<std::size_t>(io::raise_descriptor_limit(), 128) - kOtherDescriptors;
  std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  // As ssepg's adaptive default: at least eight from four processors on.
  if (processors >= 4) processors = std::max<std::size_t>(processors, 8);
  const std::size_t wanted = options_.shards > 0 ? options_.shards : processors;
  // The kernel spreads connections by hash, not evenly: room for what one shard gets above its
  // share.
  const std::size_t with_room = options_.connections_max + options_.connections_max / 16;
  const std::size_t needed = (with_room + table - 1) / table;
  const std::size_t shards = std::min(std::max(needed, wanted), Hub::kShardsMax);
  connections_per_shard_ = std::min(table, std::max<std::size_t>(with_room / shards + 64, 256));
  connections_max_ = std::min(options_.connections_max, connections_per_shard_ * shards);
  return shards;
}

Result<void> Server::open() {
  tls_.set(options_.tls);
  if (options_.access_log) {
    access_log_ = RT_TRY(AccessLog::open(*options_.access_log, clock_, counters_));
  }
  Fd claim;  // until the shards' listeners stand
  if (!options_.listener) claim = RT_TRY(io::claim_port(options_.listen));
  Fd health_claim;
  if (options_.health_listen) health_claim = RT_TRY(io::claim_port(*options_.health_listen));
  std::unique_ptr<History> history;
  if (options_.history) {
    history = RT_TRY(History::open(*options_.history, options_.history_limits, clock_, counters_));
  }
  history_ = history.get();
  const std::size_t count = plan_shards();
  std::vector<Link*> links;
  for (std::size_t i = 0; i < count; ++i) {
    links_.push_back(std::make_unique<Link>(RT_TRY(io::Wakeup::create())));
    links.push_back(links_.back().get());
  }
  hub_ = std::make_unique<Hub>(Hub::Options{.table = options_.table,
                                            .ring_bytes_max = options_.history_ring_bytes,
                                            .accepts_publish = options_.accepts_publish,
                                            .expects_rows = options_.expects_rows,
                                            .compat_go = options_.compat_go},
                               clock_, std::move(links), RT_TRY(io::Wakeup::create()), counters_,
                               drain_, std::move(history));
  for (SurfaceParts& parts : options_.surfaces) {
    if (parts.board != nullptr) RT_CHECKED(hub_->add(parts.surface, std::move(parts.board)));
  }
  resume_ = RT_TRY(hub_->restore());
  RT_CHECKED(start_shards());
  if (history_ != nullptr) {
    history_->start(
        [this](std::uint64_t lsn) {
          if (Source* const source = source_.load()) source->confirm(lsn);
        },
        [](const Error& error) {
          log::error("the history cannot be written; nothing more is confirmed to the source",
                     log::field("reason", error.text));
        });
  }
  if (access_log_ != nullptr) access_log_->start();
  hub_thread_ = std::jthread([this](const std::stop_token& stop) { hub_->run(stop); });
  return {};
}

Result<void> Server::start_shards() {
  const std::size_t streams_max =
      options_.streams_max > 0 ? options_.streams_max : 4 * options_.connections_max;
  std::shared_ptr<const Endpoint> metrics;
  if (options_.metrics) metrics = metrics_endpoint([this] { return this->metrics(); });
  for (const auto& link : links_) {
    Shard::Options options;
    options.listen = options_.listen;
    options.shards = links_.size();
    options.has_health_port = options_.health_listen.has_value();
    if (link == links_.front()) options.health_at = options_.health_listen;
    options.health_paths = options_.health_paths;
    options.unsent_bytes_max = static_cast<int>(options_.unsent_bytes_max);
    options.inherited = options_.listener.get();
    options.connections_max = connections_per_shard_;
    options.server_connections_max = connections_max_;
    options.server_streams_max = streams_max;
    // The kernel spreads a few large connections over the shards less evenly than many small ones.
    options.streams_max = std::min(streams_max, 2 * streams_max / links_.size() + 1024);
    options.http2_streams_max = static_cast<std::uint32_t>(options_.http2_streams_max);
    options.keepalive_every = options_.keepalive_every;
    options.keepalive_as_event = options_.keepalive_as_event;
    options.backlog_bytes_max = options_.backlog_bytes_max;
    options.tags_match = options_.tags_match;
    options.accepts_publish = options_.accepts_publish;
    options.health = [this] { return health(); };
    options.runs = options_.runs;
    options.compat_go = options_.compat_go;
    options.tls = &tls_;
    options.request_time = options_.request_time;
    options.limits = options_.limits;
    options.cors = options_.cors;
    if (access_log_ != nullptr) options.access = &access_log_->add_tap();
    for (const SurfaceParts& parts : options_.surfaces) {
      options.endpoints.push_back({parts.surface, parts.endpoint});
    }
    if (metrics != nullptr) options.endpoints.push_back({Surface::general, metrics});
    shards_.push_back(std::make_unique<Shard>(std::move(options), clock_, *link, hub_->wakeup(),
                                              counters_, drain_));
    std::promise<Result<void>> started;
    std::future<Result<void>> outcome = started.get_future();
    shard_threads_.emplace_back([&shard = *shards_.back(), &started](const std::stop_token& stop) {
      shard.run(stop, [&](Result<void> result) { started.set_value(std::move(result)); });
    });
    RT_CHECKED(outcome.get());
  }
  return {};
}

SourceHealth Server::source_health() const {
  return options_.source_health ? options_.source_health() : SourceHealth{};
}

SurfaceHealth Server::runs_health(const SourceHealth& source) const {
  SurfaceHealth health;
  if (!counters_.ready) {
    health.reason = "the current state is being read";
  } else if (!source.connected) {
    health.reason = "the database is away";
  }
  if (!health.reason.empty()) health.state = SurfaceHealth::State::degraded;
  health.counts = {{"runs", counters_.runs.load()}};
  return health;
}

std::vector<NamedHealth> Server::surface_health(const SourceHealth& source) const {
  std::vector<NamedHealth> surfaces;
  if (options_.runs) surfaces.push_back({surface_name(Surface::runs), runs_health(source)});
  for (const SurfaceParts& parts : options_.surfaces) {
    if (parts.health) surfaces.push_back({surface_name(parts.surface), parts.health()});
  }
  return surfaces;
}

std::string Server::health() const {
  const SourceHealth source = source_health();
  return health_json(counters_, source, surface_health(source), shard_count(), started_,
                     clock_.wall());
}

std::string Server::metrics() const {
  MetricsFacts facts;
  facts.source = source_health();
  facts.surfaces = surface_health(facts.source);
  facts.process = read_process_facts();
  facts.shards = shard_count();
  facts.started = started_;
  facts.now = clock_.wall();
  return metrics_text(counters_, facts);
}

std::string Server::surface_names() const {
  std::string names = options_.runs ? "runs" : "";
  for (const SurfaceParts& parts : options_.surfaces) {
    if (parts.surface == Surface::general || is_unavailable(parts)) continue;
    if (!names.empty()) names += ", ";
    names += surface_name(parts.surface);
  }
  return names;
}

std::vector<NamedHealth> Server::unavailable_surfaces() const {
  std::vector<NamedHealth> surfaces;
  for (const SurfaceParts& parts : options_.surfaces) {
    if (is_unavailable(parts)) surfaces.push_back({surface_name(parts.surface), parts.health()});
  }
  return surfaces;
}

Result<void> Server::feed(Source& source, const std::stop_token& stop) {
  source_ = &source;
  const Result<void> outcome = source.run(stop, [&](RecordBatch& batch) -> Result<void> {
    // Without a history, what the hub has taken is as safe as it gets.
    if (history_ == nullptr) source.confirm(counters_.end_lsn);
    return hub_->take(Surface::runs, batch, stop);
  });
  source_ = nullptr;
  if (!outcome && outcome.error().code == Code::cancelled && stop.stop_requested()) return {};
  return outcome;
}

Result<void> Server::feed(Surface surface, Source& source, const std::stop_token& stop) {
  const Result<void> outcome =
      source.run(stop, [&](RecordBatch& batch) { return hub_->take(surface, batch, stop); });
  if (!outcome && outcome.error().code == Code::cancelled && stop.stop_requested()) return {};
  return outcome;
}

void Server::begin_drain(Duration limit) {
  counters_.draining = true;
  drain_.begin(clock_.now() + limit);
  for (const auto& link : links_) link->shard_wakeup.ring();
  hub_->wakeup().ring();
}

bool Server::is_drained() const {
  const auto is_gone = [](const auto& link) { return link->gone.load(std::memory_order_acquire); };
  return drain_.is_hub_done() && std::all_of(links_.begin(), links_.end(), is_gone);
}

// The hub first: while it waits for a shard's ring, the shard must be there to empty it.
void Server::stop() {
  if (hub_thread_.joinable()) {
    hub_thread_.request_stop();
    hub_->wakeup().ring();
    hub_thread_.join();
  }
  for (auto& thread : shard_threads_) thread.request_stop();
  for (const auto& link : links_) link->shard_wakeup.ring();
  shard_threads_.clear();  // joins
  if (access_log_ != nullptr) access_log_->stop();
}

}  // namespace rt::server

// rtctl serve: the realtime server.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/environment.h"
#include "io/systemd.h"
#include "rtctl/serve_drain.h"
#include "rtctl/serve_events.h"
#include "rtctl/serve_io.h"
#include "rtctl/serve_jobs.h"
#include "rtctl/serve_page.h"
#include "rtctl/serve_realtime.h"
#include "rtctl/serve_rows.h"
#include "rtctl/serve_surface.h"
#include "rtctl/serve_tls.h"
#include "rtctl/serve_tokens.h"
#include "rtctl/serve_topics.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

struct Serve {
  std::string listen;
  std::string dsn;
  std::string redis;
  std::string history;
  std::string connections_max = "400k";
  std::string keepalive = "15s";
  std::string tags_match = "any";
  std::string compat;
  std::string log_format = "text";
  std::string request_timeout = "30s";
  std::string head_max = "16KiB";
  std::string body_max = "1MiB";
  std::string surfaces;  // empty: those whose back end is configured
  bool keepalive_event = false;
  bool no_metrics = false;
  bool quiet = false;
  DrainFlags drain;
  IoFlags io;
  PageFlags page;
  RowsFlags rows;
  TopicsFlags topics;
  TlsFlags tls;
  EventsFlags events;
  TokenFlags tokens;
  RealtimeFlags realtime;
  JobsSurfaceFlags jobs;
};

// One surface of the table: how it is set up, and whether it has what it needs to be served without
// being asked for.
struct SurfaceRow {
  std::string_view name;
  bool (*is_configured)(const ServeContext&);
  Result<ServedSurface> (*set_up)(const Serve&, const ServeContext&);
};

bool always(const ServeContext&) {
  return true;
}

bool has_redis(const ServeContext& context) {
  return !context.redis_url.empty();
}

bool has_database(const ServeContext& context) {
  return !context.dsn.empty();
}

// The runs surface is the server's own and comes first; these are asked for a path in this order.
const SurfaceRow kSurfaces[] = {
    {"topics", always,
     [](const Serve& flags, const ServeContext& context) {
       return serve_topics(flags.topics, context);
     }},
    {"events", has_redis,
     [](const Serve& flags, const ServeContext& context) {
       return serve_events(flags.events, context);
     }},
    {"realtime", always,
     [](const Serve& flags, const ServeContext& context) {
       return serve_realtime(flags.realtime, context);
     }},
    {"jobs", has_database,
     [](const Serve& flags, const ServeContext& context) {
       return serve_jobs(flags.jobs, flags.rows.publication, context);
     }},
};

// The names of --surfaces, or nothing.
Result<std::vector<std::string_view>> chosen_surfaces(const Serve& flags) {
  std::vector<std::string_view> names = {"runs"};
  for (const SurfaceRow& row : kSurfaces) names.push_back(row.name);
  std::vector<std::string_view> chosen;
  if (flags.surfaces.empty()) return chosen;
  for (const std::string_view word : split(flags.surfaces, ',')) {
    if (std::find(names.begin(), names.end(), word) == names.end()) {
      const auto near = nearest(word, names);
      return fail(Code::usage, fmt::format("there is no surface \"{}\"", word),
                  near ? fmt::format("did you mean {}?", *near)
                       : fmt::format("surfaces are {}", fmt::join(names, ", ")));
    }
    chosen.push_back(word);
  }
  return chosen;
}

// --listen, else PORT on the loopback address, else 127.0.0.1:8080.
Result<io::Address> listen_address(const Serve& flags) {
  if (!flags.listen.empty()) return io::parse_address(flags.listen);
  const std::string port = cli::first_set({"PORT"});
  return io::parse_address("127.0.0.1:" + (port.empty() ? "8080" : port));
}

// Below the least a request may not be served at all; above the most, one client's requests are a
// noticeable part of the memory.
Result<std::size_t> size_between(const char* option, const std::string& text, std::size_t least,
                                 std::size_t most) {
  const std::uint64_t bytes = RT_TRY(parse_bytes(text));
  if (bytes >= least && bytes <= most) return static_cast<std::size_t>(bytes);
  return fail(Code::usage, fmt::format("{} must be from {} to {} bytes", option, least, most));
}

Result<void> set_limits(server::ServerOptions& options, const Serve& flags) {
  options.request_time = RT_TRY(parse_duration(flags.request_timeout));
  if (options.request_time < std::chrono::milliseconds(100)) {
    return fail(Code::usage, "--request-timeout must be at least 100ms");
  }
  options.limits.head_bytes_max =
      RT_TRY(size_between("--head-max", flags.head_max, 1 << 10, 1 << 20));
  options.limits.body_bytes_max =
      RT_TRY(size_between("--body-max", flags.body_max, 1, std::size_t{64} << 20));
  return {};
}

Result<server::ServerOptions> server_options(const Serve& flags) {
  server::ServerOptions options;
  options.connections_max = RT_TRY(parse_count(flags.connections_max));
  options.keepalive_every = RT_TRY(parse_duration(flags.keepalive));
  if (options.keepalive_every < std::chrono::milliseconds(100)) {
    return fail(Code::usage, "--keepalive must be at least 100ms");
  }
  options.keepalive_as_event = flags.keepalive_event;
  options.tags_match = flags.tags_match == "all" ? server::TagsMatch::all : server::TagsMatch::any;
  options.compat_go = flags.compat == "go";
  if (!flags.history.empty()) options.history = flags.history;
  options.metrics = !flags.no_metrics;
  RT_CHECKED(set_limits(options, flags));
  RT_CHECKED(set_io(options, flags.io, flags.topics.health_path));
  return options;
}

class Service {
 public:
  explicit Service(const Serve& flags) : flags_(flags) {}

  Result<int> run() {
    auto signals = RT_TRY(ServeSignals::create(flags_.tls));
    systemd_ = RT_TRY(io::SystemdNotifier::from_environment());
    server::ServerOptions options = RT_TRY(server_options(flags_));
    options.listen = RT_TRY(listen_address(flags_));
    context_.dsn = flags_.dsn.empty() ? cli::first_set({"RT_PG", "DATABASE_URL"}) : flags_.dsn;
    context_.redis_url =
        flags_.redis.empty() ? cli::first_set({"RT_REDIS", "REDIS_URL"}) : flags_.redis;
    context_.loopback = options.listen.is_loopback();
    options.tls = RT_TRY(load_tls(flags_.tls));
    context_.tokens = RT_TRY(token_check(flags_.tokens));
    RT_CHECKED(check_page(flags_.page, options.listen));
    if (flags_.page.shown && options.health_listen) {
      return fail(Code::usage,
                  "the page of --ui needs health on its own port: leave --health-listen out");
    }
    const Duration drain = RT_TRY(drain_limit(flags_.drain));
    RT_CHECKED(set_up_surfaces(options));
    if (flags_.page.shown) options.surfaces.push_back(serve_page(flags_.topics.base_path));
    server_ = RT_TRY(server::Server::start(std::move(options), clock_));
    if (rows_ != nullptr) RT_CHECKED(rows_->start(*server_));
    for (const auto& companion : companions_) companion->start(*server_);
    announce();
    RT_CHECKED(systemd_.ready("serving http://" + server_->address().text()));
    wait(signals);
    (void)systemd_.stopping();  // whoever does not hear it sees the end
    server_->begin_drain(drain);
    // What the rows' source has handed over is delivered; the rest waits in the database.
    if (rows_ != nullptr) rows_->stop();
    await_drain(*server_, drain, signals, clock_);
    for (const auto& companion : companions_) companion->stop();
    server_->stop();
    if (rows_ != nullptr && !rows_->outcome()) return fail(rows_->outcome().error());
    return 0;
  }

 private:
  Result<void> set_up_surfaces(server::ServerOptions& options) {
    const auto chosen = RT_TRY(chosen_surfaces(flags_));
    const auto is_wanted = [&chosen](std::string_view name, bool configured) {
      if (chosen.empty()) return configured;
      return std::find(chosen.begin(), chosen.end(), name) != chosen.end();
    };
    std::vector<TableName> tables;
    options.runs = is_wanted("runs", true);
    if (options.runs) RT_CHECKED(set_up_runs(options, tables));
    for (const SurfaceRow& row : kSurfaces) {
      if (!is_wanted(row.name, row.is_configured(context_))) continue;
      ServedSurface served = RT_TRY(row.set_up(flags_, context_));
      if (served.companion != nullptr) companions_.push_back(std::move(served.companion));
      tables.insert(tables.end(), served.row_tables.begin(), served.row_tables.end());
      add(options, std::move(served.parts), !chosen.empty());
    }
    options.expects_rows = !tables.empty();
    if (tables.empty()) return {};
    rows_ = std::make_unique<RowsFeed>(context_.dsn, flags_.rows, std::move(tables));
    options.source_health = [this] { return rows_->health(); };
    return {};
  }

  Result<void> set_up_runs(server::ServerOptions& options, std::vector<TableName>& tables) {
    if (context_.dsn.empty()) {
      options.accepts_publish = true;
      return {};
    }
    const TableName table = RT_TRY(parse_table_name(flags_.rows.table));
    const auto prepared = prepare_rows(context_.dsn, table, flags_.rows.publication);
    if (!prepared && prepared.error().code == Code::refused) {
      options.runs = false;
      add(options, unavailable(server::Surface::runs, {"/v1/runs"}, prepared.error()).parts);
      return {};
    }
    RT_CHECKED(prepared);
    options.table = table.text();
    tables.push_back(table);
    return {};
  }

  static void add(server::ServerOptions& options, server::SurfaceParts parts,
                  bool asked_for = true) {
    server::SurfaceHealth now = parts.health ? parts.health() : server::SurfaceHealth{};
    if (now.state == server::SurfaceHealth::State::unavailable) {
      (asked_for ? log::warn : log::info)(
          "a surface cannot be served",
          fmt::format("surface={} {}", server::surface_name(parts.surface),
                      log::field("reason", now.reason)));
      now.asked_for = asked_for;
      parts.health = [now] { return now; };
    }
    options.surfaces.push_back(std::move(parts));
  }

  void announce() const {
    const bool in_memory = context_.dsn.empty();
    const std::string url =
        (flags_.tls.enabled() ? "https://" : "http://") + server_->address().text();
    log::info("listening", fmt::format("url={} shards={} connections_max={} source={}", url,
                                       server_->shard_count(), server_->connections_max(),
                                       in_memory ? "memory" : "postgres"));
    if (flags_.quiet) return;
    std::fprintf(stderr, "rtctl: serving %s (%s; %s)\n", url.c_str(),
                 server_->surface_names().c_str(), in_memory ? "in memory" : "from PostgreSQL");
    if (const auto& health = server_->health_address()) {
      std::fprintf(stderr, "  health:   http://%s/health\n", health->text().c_str());
    }
    if (flags_.page.shown) std::fprintf(stderr, "  page:     %s/\n", url.c_str());
    if (!server_->serves_runs()) return;
    std::fprintf(stderr, "  watch:    rtctl subscribe runs --url %s\n", url.c_str());
    if (in_memory) {
      std::fprintf(stderr, "  publish:  rtctl publish run --url %s --id run_1 --status EXECUTING\n",
                   url.c_str());
    }
  }

  // Until a signal comes or the rows end for good.
  void wait(ServeSignals& signals) {
    constexpr int kLookMs = 100;
    constexpr auto kReportEvery = std::chrono::seconds(60);
    Instant next_report = clock_.now() + kReportEvery;
    const auto watchdog = systemd_.watchdog_time();
    Instant next_watchdog = clock_.now();
    while (rows_ == nullptr || !rows_->ended()) {
      if (signals.wait(kLookMs, *server_)) return;
      if (watchdog && clock_.now() >= next_watchdog) {
        next_watchdog = clock_.now() + *watchdog / 2;
        if (const auto told = systemd_.watchdog(); !told) {
          log::warn("systemd", log::field("reason", told.error().text));
        }
      }
      if (clock_.now() < next_report) continue;
      next_report += kReportEvery;
      const server::Counters& counters = server_->counters();
      const server::SourceHealth source =
          rows_ != nullptr ? rows_->health() : server::SourceHealth{};
      log::info("serving",
                fmt::format("subscribers={} runs={} events={} lag_bytes={} lag_s={:.1f} "
                            "slow_disconnects={}",
                            counters.subscribers.load(), counters.runs.load(),
                            counters.events.load(), source.lag_bytes,
                            server::replication_lag_seconds(counters, source, clock_.wall()),
                            counters.slow_disconnects.load()));
    }
  }

  const Serve& flags_;
  SystemClock clock_;
  io::SystemdNotifier systemd_;
  ServeContext context_{.clock = clock_};
  // These outlive the server, which asks them how they are and confirms to them.
  std::unique_ptr<RowsFeed> rows_;
  std::vector<std::unique_ptr<Companion>> companions_;
  std::unique_ptr<server::Server> server_;
};

}  // namespace

void add_serve(cli::Tool& tool) {
  auto flags = std::make_shared<Serve>();
  CLI::App* verb =
      tool.verb("serve", "Serve runs, topics, events, realtime and jobs as event streams",
                [flags]() -> Result<int> {
                  const log::Level level =
                      flags->quiet ? log::Level::warn : RT_TRY(cli::log_level(log::Level::info));
                  log::configure(level, flags->log_format == "json" ? log::Format::json
                                                                    : log::Format::key_value);
                  return Service(*flags).run();
                });
  verb->add_option("--listen", flags->listen, "Where to listen (else PORT on 127.0.0.1, else 8080)")
      ->type_name("ADDR:PORT");
  verb->add_option("--pg", flags->dsn,
                   "The database (else RT_PG, DATABASE_URL); without one: rows in memory")
      ->type_name("DSN");
  verb->add_option("--redis", flags->redis, "The Redis (else RT_REDIS, REDIS_URL)")
      ->type_name("URL");
  verb->add_option("--surfaces", flags->surfaces,
                   "Of runs,topics,events,realtime,jobs; else all with a back end")
      ->type_name("LIST");
  declare_rows(verb, flags->rows);
  verb->add_option("--history", flags->history,
                   "Keep every change in this folder: resume over restarts")
      ->type_name("DIR");
  verb->add_option("--connections-max", flags->connections_max,
                   "Sets the number of I/O threads, with the descriptor limit")
      ->type_name("N")
      ->capture_default_str();
  verb->add_option("--keepalive", flags->keepalive, "Time between keepalive comments")
      ->type_name("TIME")
      ->capture_default_str();
  verb->add_option("--request-timeout", flags->request_timeout,
                   "Time for a request to be complete; idle connections are closed after it")
      ->type_name("TIME")
      ->capture_default_str();
  verb->add_option("--head-max", flags->head_max, "A request head may be this large")
      ->type_name("SIZE")
      ->capture_default_str();
  verb->add_option("--body-max", flags->body_max, "A request body may be this large")
      ->type_name("SIZE")
      ->capture_default_str();
  verb->add_flag("--keepalive-event", flags->keepalive_event, "Send keepalives as events instead");
  verb->add_option("--tags-match", flags->tags_match, "Which of a filter's tags a run must have")
      ->check(CLI::IsMember({"any", "all"}))
      ->capture_default_str();
  verb->add_option("--compat", flags->compat, "Send runs as the Go service of Trigger.dev did")
      ->check(CLI::IsMember({"go"}));
  verb->add_option("--log-format", flags->log_format, "Form of the log on standard error")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  verb->add_flag("-q,--quiet", flags->quiet, "Log warnings and errors only");
  verb->add_flag("--no-metrics", flags->no_metrics, "Do not answer GET /metrics");
  declare_drain(verb, flags->drain);
  declare_io(verb, flags->io);
  declare_page(verb, flags->page);
  declare_topics(verb, flags->topics);
  declare_tls(verb, flags->tls);
  declare_events(verb, flags->events);
  declare_tokens(verb, flags->tokens);
  declare_realtime(verb, flags->realtime);
  declare_jobs_surface(verb, flags->jobs);
  cli::Tool::examples(
      verb,
      "  rtctl serve                                          rows in memory, on 127.0.0.1:8080\n"
      "  rtctl serve --pg service=app --history /var/lib/rt   changes of table task_run\n"
      "  PORT=9000 DATABASE_URL=postgresql://localhost/app rtctl serve");
}

}  // namespace rt::rtctl

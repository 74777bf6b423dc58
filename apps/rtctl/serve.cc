// rtctl serve: the realtime server.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "cli/environment.h"
#include "io/signals.h"
#include "io/systemd.h"
#include "rtctl/serve_check.h"
#include "rtctl/serve_ending.h"
#include "rtctl/serve_flags.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

class Service {
 public:
  explicit Service(const ServeFlags& flags) : flags_(flags) {}

  Result<int> run() {
    auto signals = RT_TRY(ServeSignals::create(flags_.tls));
    const auto stop = RT_TRY(io::StopSignals::create());
    context_.cancel_fd = stop.fd();  // of what is asked before there is a server to drain
    systemd_ = RT_TRY(io::SystemdNotifier::from_environment());
    server::ServerOptions options = RT_TRY(server_options(flags_));
    RT_CHECKED(choose_listener(options));
    read_places(context_, flags_);
    context_.loopback = options.listen.is_loopback();
    options.tls = RT_TRY(load_tls(flags_.tls));
    context_.tokens = RT_TRY(token_check(flags_.tokens));
    RT_CHECKED(check_page(flags_.page, options));
    const Duration drain = RT_TRY(drain_limit(flags_.drain));
    RT_CHECKED(set_up_surfaces(options));
    if (flags_.page.shown) options.surfaces.push_back(serve_page(flags_.topics.base_path));
    server_ = RT_TRY(server::Server::start(std::move(options), clock_));
    if (rows_ != nullptr) RT_CHECKED(rows_->start(*server_));
    for (const auto& [name, companion] : companions_) companion->start(*server_);
    announce();
    RT_CHECKED(systemd_.ready("serving " + url()));
    wait(signals);
    (void)systemd_.stopping();  // whoever does not hear it sees the end
    return end(drain, signals);
  }

 private:
  // The socket that systemd holds, if it handed one over: the socket unit says where to listen.
  Result<void> choose_listener(server::ServerOptions& options) const {
    auto inherited = RT_TRY(io::inherited_listener());
    if (!inherited) {
      options.listen = RT_TRY(listen_address(flags_));
      return {};
    }
    options.listen = RT_TRY(io::local_address(inherited->get()));
    options.listener = std::move(*inherited);
    if (!flags_.listen.empty()) {
      log::info("systemd's socket takes the place of --listen",
                log::field("address", options.listen.text()));
    }
    return {};
  }

  std::string url() const {
    return (flags_.tls.enabled() ? "https://" : "http://") + server_->address().text();
  }

  Result<void> set_up_surfaces(server::ServerOptions& options) {
    const auto chosen = RT_TRY(chosen_surfaces(flags_));
    const auto is_wanted = [&chosen](std::string_view name, bool configured) {
      if (chosen.empty()) return configured;
      return std::find(chosen.begin(), chosen.end(), name) != chosen.end();
    };
    std::vector<TableName> tables;
    options.runs = is_wanted("runs", true);
    if (options.runs) RT_CHECKED(set_up_runs(options, tables));
    for (const SurfaceRow& row : surface_rows()) {
      if (!is_wanted(row.name, row.is_configured(context_))) continue;
      ServedSurface served = RT_TRY(row.set_up(flags_, context_));
      if (served.companion != nullptr) {
        companions_.emplace_back(row.name, std::move(served.companion));
      }
      tables.insert(tables.end(), served.row_tables.begin(), served.row_tables.end());
      add(options, std::move(served.parts), !chosen.empty());
    }
    options.expects_rows = !tables.empty();
    if (tables.empty()) return {};
    rows_ = std::make_unique<RowsFeed>(context_.dsn, flags_.rows, std::move(tables),
                                       context_.cancel_fd);
    options.source_health = [this] { return rows_->health(); };
    return {};
  }

  Result<void> set_up_runs(server::ServerOptions& options, std::vector<TableName>& tables) {
    if (context_.dsn.empty()) {
      options.accepts_publish = true;
      return {};
    }
    const TableName table = RT_TRY(parse_table_name(flags_.rows.table));
    const auto prepared = prepare_rows(context_, table, flags_.rows.publication);
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
    const std::string url = this->url();
    log::info("listening", fmt::format("url={} shards={} connections_max={} source={}", url,
                                       server_->shard_count(), server_->connections_max(),
                                       in_memory ? "memory" : "postgres"));
    if (flags_.quiet) return;
    const std::string served = server_->surface_names();
    std::fprintf(stderr, "rtctl: serving %s (%s; %s)\n", url.c_str(),
                 served.empty() ? "no surface" : served.c_str(),
                 in_memory ? "in memory" : "from PostgreSQL");
    for (const server::NamedHealth& each : server_->unavailable_surfaces()) {
      std::fprintf(stderr, "  without:  %s, answered 503: %s\n", std::string(each.surface).c_str(),
                   each.health.reason.c_str());
    }
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
      log::info("serving",
                server::report_fields(server_->counters(),
                                      rows_ != nullptr ? rows_->health() : server::SourceHealth{},
                                      clock_.wall()));
    }
  }

  // Whatever hangs, this takes --drain and about two seconds at most.
  Result<int> end(Duration drain, ServeSignals& signals) {
    // What hangs for longer than this, although it was called off, is left behind.
    constexpr Duration kPatience = std::chrono::seconds(1);
    Ending ending;
    const Instant begun = clock_.now();
    server_->begin_drain(drain);
    // What the rows' source has handed over is delivered; the rest waits in the database.
    if (rows_ != nullptr) ending.begin("rows", [this] { rows_->stop(); });
    ending.wait(std::min<Duration>(drain, kPatience));
    await_drain(*server_, begun, drain, signals, clock_);
    for (const auto& [name, companion] : companions_) {
      ending.begin(name, [&each = *companion] { each.stop(); });
    }
    const bool are_quiet = ending.wait(kPatience);
    // Its surfaces are destroyed only when nobody can speak to them any more.
    ending.begin("server", [this, are_quiet] {
      server_->stop();
      if (are_quiet) server_.reset();
    });
    if (!ending.wait(kPatience / 2)) {
      log::warn("left behind: they do not stop", log::field("what", ending.unfinished()));
      const Result<int> outcome = outcome_of_rows();
      if (!outcome) cli::print_error("rtctl", outcome.error());
      leave(outcome ? *outcome : exit_status(outcome.error().code));
    }
    return outcome_of_rows();
  }

  Result<int> outcome_of_rows() const {
    if (rows_ != nullptr && rows_->ended() && !rows_->outcome()) {
      return fail(rows_->outcome().error());
    }
    return 0;
  }

  const ServeFlags& flags_;
  SystemClock clock_;
  io::SystemdNotifier systemd_;
  ServeContext context_{.clock = clock_};
  // These outlive the server, which asks them how they are and confirms to them.
  std::unique_ptr<RowsFeed> rows_;
  std::vector<std::pair<std::string_view, std::unique_ptr<Companion>>> companions_;
  std::unique_ptr<server::Server> server_;
};

}  // namespace

void add_serve(cli::Tool& tool) {
  auto flags = std::make_shared<ServeFlags>();
  CLI::App* verb =
      tool.verb("serve", "Serve runs, topics, events, realtime and jobs as event streams",
                [flags]() -> Result<int> {
                  const log::Level level = flags->quiet || flags->check
                                               ? log::Level::warn
                                               : RT_TRY(cli::log_level(log::Level::info));
                  log::configure(level, flags->log_format == "json" ? log::Format::json
                                                                    : log::Format::key_value);
                  return flags->check ? check_serve(*flags, SystemClock()) : Service(*flags).run();
                });
  declare_serve(verb, *flags);
  cli::Tool::examples(
      verb,
      "  rtctl serve                                          rows in memory, on 127.0.0.1:8080\n"
      "  rtctl serve --pg service=app --history /var/lib/rt   changes of table task_run\n"
      "  PORT=9000 DATABASE_URL=postgresql://localhost/app rtctl serve");
}

}  // namespace rt::rtctl

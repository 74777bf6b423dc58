// rtctl serve: the realtime server.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/environment.h"
#include "io/signals.h"
#include "pg/connection.h"
#include "pg/setup.h"
#include "pipe/wal_source.h"
#include "rtctl/serve_topics.h"
#include "rtctl/verbs.h"
#include "server/server.h"

namespace rt::rtctl {
namespace {

struct Serve {
  std::string listen;
  std::string dsn;
  std::string table = "task_run";
  std::string slot = "trigger_realtime_slot";
  std::string publication{kDefaultPublication};
  std::string history;
  std::string connections_max = "400k";
  std::string keepalive = "15s";
  std::string tags_match = "any";
  std::string log_format = "text";
  std::string surfaces = "runs,topics";
  bool keepalive_event = false;
  bool quiet = false;
  TopicsFlags topics;

  bool has_surface(std::string_view name) const {
    const auto words = split(surfaces, ',');
    return std::find(words.begin(), words.end(), name) != words.end();
  }
};

Result<void> check_surfaces(const Serve& flags) {
  constexpr std::array<std::string_view, 2> kSurfaces = {"runs", "topics"};
  for (const std::string_view word : split(flags.surfaces, ',')) {
    if (std::find(kSurfaces.begin(), kSurfaces.end(), word) != kSurfaces.end()) continue;
    const auto near = nearest(word, kSurfaces);
    return fail(Code::usage, fmt::format("there is no surface \"{}\"", word),
                near ? fmt::format("did you mean {}?", *near) : "surfaces are runs and topics");
  }
  return {};
}

// --listen, else PORT on the loopback address, else 127.0.0.1:8080.
Result<io::Address> listen_address(const Serve& flags) {
  if (!flags.listen.empty()) return io::parse_address(flags.listen);
  const std::string port = cli::first_set({"PORT"});
  return io::parse_address("127.0.0.1:" + (port.empty() ? "8080" : port));
}

Result<server::ServerOptions> server_options(const Serve& flags, bool has_database) {
  server::ServerOptions options;
  options.listen = RT_TRY(listen_address(flags));
  options.connections_max = RT_TRY(parse_count(flags.connections_max));
  options.keepalive_every = RT_TRY(parse_duration(flags.keepalive));
  if (options.keepalive_every < std::chrono::milliseconds(100)) {
    return fail(Code::usage, "--keepalive must be at least 100ms");
  }
  options.keepalive_as_event = flags.keepalive_event;
  options.tags_match = flags.tags_match == "all" ? server::TagsMatch::all : server::TagsMatch::any;
  if (!flags.history.empty()) options.history = flags.history;
  options.accepts_publish = !has_database;
  if (flags.has_surface("topics")) options.topics = RT_TRY(topics_http(flags.topics));
  return options;
}

void log_notice(const WalNotice& notice) {
  const std::string text = log::field("detail", notice.text);
  switch (notice.kind) {
    case WalNotice::Kind::reconnecting:
    case WalNotice::Kind::waiting:
    case WalNotice::Kind::warning:
      log::warn("database", text);
      break;
    default:
      log::info("database", text);
  }
}

// What must hold before a slot is worth creating; publication and identity are made on the way.
Result<void> prepare_database(const std::string& dsn, const TableName& table,
                              const std::string& publication) {
  Connection connection =
      RT_TRY(Connection::connect(dsn, {.application_name = "rtctl serve setup"}));
  RT_CHECKED(check_logical_wal(connection));
  RT_CHECKED(check_replication_privilege(connection));
  const Rows found = RT_TRY(connection.query("SELECT to_regclass($1) IS NOT NULL", {table.quoted()},
                                             "look up the runs table"));
  if (found.text(0, 0) != "t") {
    return fail(Code::refused, fmt::format("table {} does not exist", table.text()),
                "create it with \"rtctl setup\", or name another with --table");
  }
  const auto on_step = [](const SetupStep& step) {
    if (step.changed) log::info("database", log::field("created", step.text));
  };
  RT_CHECKED(ensure_full_identity(connection, table, on_step));
  return ensure_publication(connection, publication, {table}, /*all_operations=*/false, on_step);
}

// With a state in the history the slot only has to go on; if it is gone, the state is read anew.
Result<SnapshotMode> snapshot_mode(const Serve& flags, const std::string& dsn, bool has_state) {
  if (!has_state) return SnapshotMode::always;
  Connection connection =
      RT_TRY(Connection::connect(dsn, {.replication = true, .application_name = "rtctl serve"}));
  const auto slot = RT_TRY(read_slot(connection, flags.slot));
  if (slot && !slot->lost) return SnapshotMode::never;
  log::warn("the slot is gone: changes since the last stop cannot be replayed",
            log::field("slot", flags.slot));
  return SnapshotMode::always;
}

class Service {
 public:
  explicit Service(const Serve& flags) : flags_(flags) {}

  Result<int> run() {
    RT_CHECKED(check_surfaces(flags_));
    auto signals = RT_TRY(io::StopSignals::create());
    const std::string dsn =
        flags_.dsn.empty() ? cli::first_set({"RT_PG", "DATABASE_URL"}) : flags_.dsn;
    const TableName table = RT_TRY(parse_table_name(flags_.table));
    server::ServerOptions options = RT_TRY(server_options(flags_, !dsn.empty()));
    options.table = dsn.empty() ? "task_run" : table.text();
    const bool rows = flags_.has_surface("runs") && !dsn.empty();
    if (rows) {
      RT_CHECKED(prepare_database(dsn, table, flags_.publication));
      options.source_health = [this] { return source_health(); };
    }
    if (options.topics.enabled && !dsn.empty()) {
      topics_ = std::make_unique<TopicListener>(dsn);
      options.topics_listening = [this] { return topics_->connected(); };
      options.topic_send = notify_sender(dsn, flags_.topics.shards);
    }
    server_ = RT_TRY(server::Server::start(std::move(options), clock_));
    if (rows) RT_CHECKED(make_source(dsn, table));
    if (topics_ != nullptr) topics_->start(*server_);
    announce(dsn.empty());
    if (source_ != nullptr) {
      feeding_ = std::jthread([this](const std::stop_token& stop) {
        outcome_ = server_->feed(*source_, stop);
        fed_ = true;
      });
    }
    wait(signals);
    feeding_.request_stop();
    if (feeding_.joinable()) feeding_.join();
    if (topics_ != nullptr) topics_->stop();
    server_->stop();
    if (!outcome_) return fail(outcome_.error());
    return 0;
  }

 private:
  Result<void> make_source(const std::string& dsn, const TableName& table) {
    const auto& resume = server_->resume();
    WalSourceOptions options;
    options.dsn = dsn;
    options.slot = flags_.slot;
    options.publication = flags_.publication;
    options.tables = {table};
    options.snapshot = RT_TRY(snapshot_mode(flags_, dsn, resume.has_value()));
    options.application_name = "rtctl serve";
    if (resume && options.snapshot == SnapshotMode::never) {
      options.start_lsn = resume->end_lsn;
      options.expected = {resume->system_identifier, resume->timeline, resume->end_lsn};
    }
    source_ = std::make_unique<WalSource>(std::move(options), log_notice);
    return {};
  }

  server::SourceHealth source_health() const {
    server::SourceHealth health;
    health.kind = "postgres";
    health.connected = false;
    if (source_ == nullptr) return health;
    health.connected = source_->connected();
    health.lag_bytes = source_->lag_bytes();
    health.reconnects = source_->reconnects();
    return health;
  }

  void announce(bool in_memory) const {
    const std::string url = "http://" + server_->address().text();
    log::info("listening", fmt::format("url={} shards={} connections_max={} source={}", url,
                                       server_->shard_count(), server_->connections_max(),
                                       in_memory ? "memory" : "postgres"));
    if (flags_.quiet) return;
    std::fprintf(stderr, "rtctl: serving runs on %s (%s)\n", url.c_str(),
                 in_memory ? "in memory" : "from PostgreSQL");
    std::fprintf(stderr, "  watch:    rtctl subscribe runs --url %s\n", url.c_str());
    if (in_memory) {
      std::fprintf(stderr, "  publish:  rtctl publish run --url %s --id run_1 --status EXECUTING\n",
                   url.c_str());
    }
  }

  // Until a signal comes or the source ends for good.
  void wait(io::StopSignals& signals) {
    constexpr int kLookMs = 100;
    constexpr auto kReportEvery = std::chrono::seconds(60);
    Instant next_report = clock_.now() + kReportEvery;
    while (!fed_) {
      if (signals.wait(kLookMs) != 0) return;
      if (clock_.now() < next_report) continue;
      next_report += kReportEvery;
      const server::Counters& counters = server_->counters();
      log::info("serving",
                fmt::format("subscribers={} runs={} events={} lag_bytes={}",
                            counters.subscribers.load(), counters.runs.load(),
                            counters.events.load(), source_ != nullptr ? source_->lag_bytes() : 0));
    }
  }

  const Serve& flags_;
  SystemClock clock_;
  std::unique_ptr<WalSource> source_;      // outlives the server, which confirms to it
  std::unique_ptr<TopicListener> topics_;  // outlives the server, which asks it how it is
  std::unique_ptr<server::Server> server_;
  std::atomic<bool> fed_{false};
  Result<void> outcome_;
  std::jthread feeding_;
};

}  // namespace

void add_serve(cli::Tool& tool) {
  auto flags = std::make_shared<Serve>();
  CLI::App* verb =
      tool.verb("serve", "Serve changes of a runs table, and topics, as event streams",
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
  verb->add_option("--surfaces", flags->surfaces, "What is served, of runs and topics")
      ->type_name("LIST")
      ->capture_default_str();
  verb->add_option("--table", flags->table, "The runs table")
      ->type_name("NAME")
      ->capture_default_str();
  verb->add_option("--slot", flags->slot, "Replication slot; created if missing")
      ->type_name("NAME")
      ->envname("REPLICATION_SLOT")
      ->capture_default_str();
  verb->add_option("--publication", flags->publication, "Publication; created if missing")
      ->type_name("NAME")
      ->envname("PUBLICATION_NAME")
      ->capture_default_str();
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
  verb->add_flag("--keepalive-event", flags->keepalive_event, "Send keepalives as events instead");
  verb->add_option("--tags-match", flags->tags_match, "Which of a filter's tags a run must have")
      ->check(CLI::IsMember({"any", "all"}))
      ->capture_default_str();
  verb->add_option("--log-format", flags->log_format, "Form of the log on standard error")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  verb->add_flag("-q,--quiet", flags->quiet, "Log warnings and errors only");
  declare_topics(verb, flags->topics);
  cli::Tool::examples(
      verb,
      "  rtctl serve                                          rows in memory, on 127.0.0.1:8080\n"
      "  rtctl serve --pg service=app --history /var/lib/rt   changes of table task_run\n"
      "  PORT=9000 DATABASE_URL=postgresql://localhost/app rtctl serve");
}

}  // namespace rt::rtctl

#include "rtctl/serve_flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"
#include "base/units.h"
#include "cli/environment.h"

namespace rt::rtctl {
namespace {

bool always(const ServeContext&) {
  return true;
}

bool has_redis(const ServeContext& context) {
  return !context.redis_url.empty();
}

bool has_database(const ServeContext& context) {
  return !context.dsn.empty();
}

const SurfaceRow kSurfaces[] = {
    {"topics", always,
     [](const ServeFlags& flags, const ServeContext& context) {
       return serve_topics(flags.topics, context);
     }},
    {"events", has_redis,
     [](const ServeFlags& flags, const ServeContext& context) {
       return serve_events(flags.events, context);
     }},
    {"realtime", always,
     [](const ServeFlags& flags, const ServeContext& context) -> Result<ServedSurface> {
       return serve_realtime(flags.realtime, RT_TRY(publish_token(flags.topics)), context);
     }},
    {"jobs", has_database,
     [](const ServeFlags& flags, const ServeContext& context) {
       return serve_jobs(flags.jobs, flags.rows.publication, context);
     },
     [](const ServeFlags& flags, const ServeContext& context) {
       return inspect_jobs(flags.jobs, context);
     }},
};

}  // namespace

std::span<const SurfaceRow> surface_rows() {
  return kSurfaces;
}

Result<std::vector<std::string_view>> chosen_surfaces(const ServeFlags& flags) {
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

Result<io::Address> listen_address(const ServeFlags& flags) {
  if (!flags.listen.empty()) return io::parse_address(flags.listen);
  const std::string port = cli::first_set({"PORT"});
  return io::parse_address("127.0.0.1:" + (port.empty() ? "8080" : port));
}

namespace {

Result<void> set_history_limits(server::ServerOptions& options, const ServeFlags& flags) {
  if (flags.history_max.empty() && flags.history_age.empty()) return {};
  if (flags.history.empty()) {
    return fail(Code::usage, "--history-max and --history-age need --history DIR");
  }
  if (!flags.history_max.empty()) {
    options.history_limits.bytes_max = RT_TRY(parse_bytes(flags.history_max));
    if (options.history_limits.bytes_max < (1U << 20)) {
      return fail(Code::usage, "--history-max must be at least 1MiB");
    }
  }
  if (!flags.history_age.empty()) {
    options.history_limits.age_max = RT_TRY(parse_duration(flags.history_age));
    if (options.history_limits.age_max < std::chrono::minutes(1)) {
      return fail(Code::usage, "--history-age must be at least 1m");
    }
  }
  return {};
}

}  // namespace

Result<server::ServerOptions> server_options(const ServeFlags& flags) {
  server::ServerOptions options;
  options.keepalive_every = RT_TRY(parse_duration(flags.keepalive));
  if (options.keepalive_every < std::chrono::milliseconds(100)) {
    return fail(Code::usage, "--keepalive must be at least 100ms");
  }
  options.keepalive_as_event = flags.keepalive_event;
  options.tags_match = flags.tags_match == "all" ? server::TagsMatch::all : server::TagsMatch::any;
  options.compat_go = flags.compat == "go";
  if (!flags.history.empty()) options.history = flags.history;
  RT_CHECKED(set_history_limits(options, flags));
  options.metrics = !flags.no_metrics;
  RT_CHECKED(set_http(options, flags.http, flags.log_format));
  RT_CHECKED(set_io(options, flags.io, flags.topics.health_path));
  return options;
}

void read_places(ServeContext& context, const ServeFlags& flags) {
  context.dsn = flags.dsn.empty() ? cli::first_set({"RT_PG", "DATABASE_URL"}) : flags.dsn;
  context.redis_url = flags.redis.empty() ? cli::first_set({"RT_REDIS", "REDIS_URL"}) : flags.redis;
}

void declare_serve(CLI::App* verb, ServeFlags& flags) {
  verb->add_option("--listen", flags.listen, "Where to listen (else PORT on 127.0.0.1, else 8080)")
      ->type_name("ADDR:PORT");
  verb->add_option("--pg", flags.dsn,
                   "The database (else RT_PG, DATABASE_URL); without one: rows in memory")
      ->type_name("DSN");
  verb->add_option("--redis", flags.redis, "The Redis (else RT_REDIS, REDIS_URL)")
      ->type_name("URL");
  verb->add_option("--surfaces", flags.surfaces,
                   "Of runs,topics,events,realtime,jobs; else all with a back end")
      ->type_name("LIST");
  declare_rows(verb, flags.rows);
  verb->add_option("--history", flags.history,
                   "Keep every change in this folder: resume over restarts")
      ->type_name("DIR");
  verb->add_option("--history-max", flags.history_max,
                   "Keep about this much of it: older segments are deleted, never a run's state")
      ->type_name("SIZE");
  verb->add_option("--history-age", flags.history_age, "Delete what of it was written before that")
      ->type_name("TIME");
  verb->add_option("--keepalive", flags.keepalive, "Time between keepalive comments")
      ->type_name("TIME")
      ->capture_default_str();
  verb->add_flag("--keepalive-event", flags.keepalive_event, "Send keepalives as events instead");
  verb->add_option("--tags-match", flags.tags_match, "Which of a filter's tags a run must have")
      ->check(CLI::IsMember({"any", "all"}))
      ->capture_default_str();
  verb->add_option("--compat", flags.compat, "Send runs as the Go service of Trigger.dev did")
      ->check(CLI::IsMember({"go"}));
  verb->add_option("--log-format", flags.log_format,
                   "Form of both logs: on standard error, and --access-log")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  verb->add_flag("-q,--quiet", flags.quiet, "Log warnings and errors only");
  verb->add_flag("--check", flags.check,
                 "Say what is served and what is wrong, ask no database, and end: 0 or 2");
  verb->add_flag("--no-metrics", flags.no_metrics, "Do not answer GET /metrics");
  declare_http(verb, flags.http);
  declare_drain(verb, flags.drain);
  declare_io(verb, flags.io);
  declare_page(verb, flags.page);
  declare_topics(verb, flags.topics);
  declare_tls(verb, flags.tls);
  declare_events(verb, flags.events);
  declare_tokens(verb, flags.tokens);
  declare_realtime(verb, flags.realtime);
  declare_jobs_surface(verb, flags.jobs);
}

}  // namespace rt::rtctl

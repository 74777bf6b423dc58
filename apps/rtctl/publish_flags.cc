#include "rtctl/publish_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/units.h"
#include "cli/environment.h"
#include "cli/literal_words.h"
#include "rtctl/server_urls.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

constexpr std::array<Via, 4> kVias = {Via::http, Via::notify, Via::redis, Via::insert};

std::string list_of(const std::vector<Via>& vias) {
  std::string list;
  for (const Via via : vias) list += fmt::format("{}{}", list.empty() ? "" : ", ", via_name(via));
  return list;
}

bool has(const std::vector<Via>& vias, Via via) {
  return std::find(vias.begin(), vias.end(), via) != vias.end();
}

Result<Via> named_via(const std::string& name, std::string_view verb,
                      const std::vector<Via>& vias) {
  std::vector<std::string_view> names;
  for (const Via via : kVias) {
    names.push_back(via_name(via));
    if (via_name(via) != name) continue;
    if (has(vias, via)) return via;
    return fail(Code::usage, fmt::format("publish {} has no --via {}", verb, name),
                "possible is --via " + list_of(vias));
  }
  const auto near = nearest(name, names);
  return fail(Code::usage, fmt::format("unknown --via \"{}\"", name),
              near ? fmt::format("did you mean {}?", *near) : "possible is --via " + list_of(vias));
}

void declare_addresses(CLI::App* verb, PublishFlags& flags, const std::vector<Via>& vias) {
  const bool http = has(vias, Via::http);
  const bool pg = has(vias, Via::notify) || has(vias, Via::insert);
  const std::string group = "Target";
  if (vias.size() > 1) {
    verb->add_option("--via", flags.via,
                     fmt::format("{}; else as the address says, else {}", list_of(vias),
                                 via_name(vias.front())))
        ->type_name("WAY")
        ->group(group);
  }
  if (http) {
    verb->add_option("-u,--url", flags.url,
                     fmt::format("Server to post to (else RT_URL, {})", kDefaultUrl))
        ->type_name("URL")
        ->group(group);
  }
  if (pg) {
    verb->add_option("--pg", flags.dsn, "PostgreSQL to send to (else RT_PG, DATABASE_URL)")
        ->type_name("DSN")
        ->group(group);
  }
  if (has(vias, Via::redis)) {
    verb->add_option("--redis", flags.redis, "Redis to send to (else RT_REDIS, REDIS_URL)")
        ->type_name("URL")
        ->group(group);
  }
}

void declare_pace(CLI::App* verb, PublishFlags& flags) {
  const std::string group = "Messages";
  verb->add_option("--template", flags.line_template,
                   "Make a message of each input line: '{\"text\":{{line_json}}}'")
      ->type_name("TEXT")
      ->group(group);
  verb->add_flag("--no-template", flags.no_template, "Arguments as they are: {{n}} is text")
      ->group(group);
  verb->add_option("-n,--count", flags.count, "Send that many, repeating the arguments")
      ->type_name("N")
      ->group(group);
  verb->add_option("-d,--duration", flags.duration, "Send for that long, repeating the arguments")
      ->type_name("TIME")
      ->group(group);
  verb->add_option("-r,--rate", flags.rate,
                   "Send on a fixed schedule: 500/s, 30/m (else one after the other)")
      ->type_name("RATE")
      ->group(group);
  verb->add_option("--seed", flags.seed,
                   "Of {{rand}} and {{uuid}}: the same one, the same messages")
      ->type_name("N")
      ->envname("RT_SEED")
      ->group(group);
  flags.await_option =
      verb->add_option("--await", flags.await,
                       "Wait until each came back on a subscription (10s); exit 1 if not")
          ->type_name("TIME")
          ->expected(0, 1)
          ->group(group);
}

void declare_output(CLI::App* verb, PublishFlags& flags) {
  const std::string group = "Output";
  verb->add_flag("--dry-run", flags.dry_run, "Print what would be sent, and where to")
      ->group(group);
  verb->add_flag("--tee", flags.tee, "Print each message sent instead of its id")->group(group);
  verb->add_flag("--json", flags.json, "Print a record for each message, one a line")->group(group);
  verb->add_flag("-q,--quiet", flags.quiet, "No talk on standard error but errors")->group(group);
}

}  // namespace

std::string_view via_name(Via via) {
  switch (via) {
    case Via::http:
      return "http";
    case Via::notify:
      return "notify";
    case Via::redis:
      return "redis";
    case Via::insert:
      return "insert";
  }
  return "?";
}

void declare_publish(CLI::App* verb, PublishFlags& flags, const std::vector<Via>& vias) {
  declare_addresses(verb, flags, vias);
  declare_pace(verb, flags);
  declare_output(verb, flags);
  if (has(vias, Via::http)) flags.http.declare(verb);
  cli::take_literally(verb);
}

void declare_data(CLI::App* verb, PublishFlags& flags, const std::string& what) {
  verb->add_option("data", flags.data, what + "; - or none: a message for each input line")
      ->type_name("DATA");
}

Result<PublishLimits> publish_limits(const PublishFlags& flags) {
  PublishLimits limits;
  if (!flags.rate.empty()) {
    limits.rate = RT_TRY(parse_rate(flags.rate));
    if (*limits.rate <= 0) return fail(Code::usage, "--rate must be above 0");
  }
  if (!flags.count.empty()) limits.count = RT_TRY(parse_count(flags.count));
  if (!flags.duration.empty()) limits.duration = RT_TRY(parse_duration(flags.duration));
  if (flags.awaits()) {
    const auto timeout = parse_duration(flags.await.empty() ? "10s" : flags.await);
    if (!timeout) {
      return fail(Code::usage, fmt::format("--await \"{}\" is no time", flags.await),
                  "write --await=10s, or put a bare --await at the end");
    }
    limits.await = *timeout;
  }
  if (flags.seed.empty()) {
    const SystemClock clock;
    limits.seed = static_cast<std::uint64_t>(unix_us(clock.wall())) ^
                  static_cast<std::uint64_t>(clock.now().time_since_epoch().count());
  } else {
    const auto seed = parse_decimal(flags.seed);
    if (!seed) return fail(Code::usage, fmt::format("--seed \"{}\" is no number", flags.seed));
    limits.seed = *seed;
  }
  return limits;
}

Result<Via> choose_via(const PublishFlags& flags, std::string_view verb,
                       const std::vector<Via>& vias, bool insert_by_environment) {
  if (!flags.via.empty()) return named_via(flags.via, verb, vias);
  const bool for_echo = flags.awaits() && has(vias, Via::insert);  // rows come back over --url
  if (!flags.dsn.empty() && !flags.url.empty() && !for_echo) {
    return fail(Code::usage, "--pg and --url exclude each other",
                "keep the one to send to, or say which with --via");
  }
  if (!flags.redis.empty() && (!flags.dsn.empty() || !flags.url.empty())) {
    return fail(Code::usage, "--redis excludes --pg and --url",
                "keep the one to send to, or say which with --via");
  }
  if (!flags.redis.empty()) return Via::redis;
  if (!flags.dsn.empty()) return has(vias, Via::insert) ? Via::insert : Via::notify;
  if (!flags.url.empty()) return Via::http;
  if (insert_by_environment && !cli::first_set({"RT_PG", "DATABASE_URL"}).empty()) {
    return Via::insert;
  }
  return vias.front();
}

std::string publish_url(const PublishFlags& flags, std::string_view path) {
  std::string url = !flags.url.empty() ? flags.url : cli::first_set({"RT_URL"});
  if (url.empty()) url = kDefaultUrl;
  return without_slash(url).append(path);
}

Result<std::string> publish_dsn(const PublishFlags& flags) {
  const std::string dsn =
      !flags.dsn.empty() ? flags.dsn : cli::first_set({"RT_PG", "DATABASE_URL"});
  if (!dsn.empty()) return dsn;
  return fail(Code::usage, "which database? --pg is missing",
              "--pg DSN, or set RT_PG or DATABASE_URL");
}

Result<std::string> publish_redis(const PublishFlags& flags) {
  const std::string url =
      !flags.redis.empty() ? flags.redis : cli::first_set({"RT_REDIS", "REDIS_URL"});
  if (!url.empty()) return url;
  return fail(Code::usage, "which Redis? --redis is missing",
              "--redis redis://127.0.0.1:6379, or set RT_REDIS or REDIS_URL");
}

}  // namespace rt::rtctl

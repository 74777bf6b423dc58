#include "rtctl/source_flags.h"

#include "rtctl/sources.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

void declare_choice(CLI::App* verb, SourceFlags& flags) {
  const std::string group = "Source";
  verb->add_option("source", flags.words, "A URL, or the name of a source and what it needs: below")
      ->type_name("SOURCE")
      ->expected(0, -1);
  verb->add_option("-u,--url", flags.url,
                   "Server of the source (else RT_URL, " + std::string(kDefaultUrl) + ")")
      ->type_name("URL")
      ->group(group);
  verb->add_option("--pg", flags.dsn, "wal, notify: the database (else RT_PG, DATABASE_URL)")
      ->type_name("DSN")
      ->group(group);
  verb->add_option("--redis", flags.redis, "redis: the server (else RT_REDIS, REDIS_URL)")
      ->type_name("URL")
      ->group(group);
  verb->add_option("--run", flags.run_id, "runs: only this one")->type_name("ID")->group(group);
  verb->add_option("--env", flags.env_id, "runs: only of this environment")
      ->type_name("ID")
      ->group(group);
  verb->add_option("--tag", flags.tags, "runs: only with this tag; repeat for any of several")
      ->type_name("TAG")
      ->allow_extra_args(false)
      ->group(group);
  verb->add_option("--publication", flags.publication,
                   "wal: the publication to follow (" + std::string(kDefaultPublication) + ")")
      ->type_name("NAME")
      ->group(group);
  verb->add_option("--slot", flags.slot, "wal: keep this slot, and go on where it stands")
      ->type_name("NAME")
      ->group(group);
  verb->add_option("--table", flags.tables, "wal: only this table; repeat for several")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->group(group);
  verb->add_flag("--snapshot", flags.snapshot, "wal: first the rows that are there")->group(group);
  verb->add_flag("--stream", flags.stream, "redis: names are streams (XREAD), not channels")
      ->group(group);
}

void declare_begin(CLI::App* verb, SourceFlags& flags) {
  const std::string group = "Begin";
  verb->add_option("--since", flags.since, "An event's id, begin, end, 15m (ago), or a time")
      ->type_name("WHEN")
      ->group(group);
  verb->add_option("--last", flags.last, "Of the past, only the last N events")
      ->type_name("N")
      ->group(group);
  verb->add_option("--last-event-id", flags.last_event_id, "As --since ID")
      ->type_name("ID")
      ->group(group);
}

}  // namespace

void declare_sources(CLI::App* verb, SourceFlags& flags) {
  declare_choice(verb, flags);
  declare_begin(verb, flags);
}

void declare_connection(CLI::App* verb, SourceFlags& flags) {
  const std::string group = "Connection";
  verb->add_flag("--no-reconnect", flags.no_reconnect, "Stop when the stream ends")->group(group);
  verb->add_option("--max-retries", flags.max_retries, "Give up after so many failures in a row")
      ->type_name("N")
      ->group(group);
  verb->add_option("--heartbeat-timeout", flags.heartbeat_timeout,
                   "Silence that counts as a lost connection; 0: none does")
      ->type_name("TIME")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--max-event", flags.max_event, "Largest event that is taken")
      ->type_name("SIZE")
      ->capture_default_str()
      ->group(group);
  verb->add_flag("--strict", flags.strict, "Reconnect as a browser does, and only then")
      ->group(group);
  flags.http.declare(verb);
}

}  // namespace rt::rtctl

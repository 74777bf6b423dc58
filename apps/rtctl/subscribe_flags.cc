#include "rtctl/subscribe_flags.h"

#include <fmt/format.h>

#include <array>

#include "base/position.h"
#include "base/text.h"
#include "base/units.h"
#include "rtctl/runs_query.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

bool is_url(const std::string& word) {
  return word.find("://") != std::string::npos;
}

bool is_time(const std::string& text) {
  return parse_duration(text).has_value() || parse_rfc3339(text).has_value();
}

Error unknown_source(const std::string& word) {
  constexpr std::array<std::string_view, 1> kSources = {"runs"};
  std::string hint = "give the URL of an event stream, or \"runs\"";
  const auto near = nearest(word, kSources);
  if (near) hint = fmt::format("did you mean {}?", *near);
  if (!near && word.find_first_of(".:/") != std::string::npos) {
    hint = fmt::format("did you mean http://{}?", word);
  }
  return {Code::usage, fmt::format("unknown source \"{}\"", word), hint};
}

Result<RunsFilter> runs_filter(const SubscribeFlags& flags, WallTime now) {
  RunsFilter filter;
  if (!flags.run_id.empty()) filter.run_id = flags.run_id;
  if (!flags.env_id.empty()) filter.env_id = flags.env_id;
  filter.tags = flags.tags;
  const bool is_position = Position::parse(flags.since).has_value();
  if (!flags.since.empty() && !is_position) {
    filter.created_since = RT_TRY(parse_since(flags.since, now));
  }
  return filter;
}

void declare_source(CLI::App* verb, SubscribeFlags& flags) {
  const std::string group = "Source";
  verb->add_option("source", flags.source, "A URL, or: runs")->type_name("URL|runs");
  verb->add_option("-u,--url", flags.url,
                   "Server of the runs (else RT_URL, " + std::string(kDefaultUrl) + ")")
      ->type_name("URL")
      ->group(group);
  verb->add_option("--run", flags.run_id, "Only this run")->type_name("ID")->group(group);
  verb->add_option("--env", flags.env_id, "Only runs of this environment")
      ->type_name("ID")
      ->group(group);
  verb->add_option("--tag", flags.tags, "Only runs with this tag; repeat for any of several")
      ->type_name("TAG")
      ->allow_extra_args(false)
      ->group(group);
  verb->add_option("--since", flags.since,
                   "Runs created since then or for that long (15m), or the id to resume after")
      ->type_name("TIME|ID")
      ->group(group);
  verb->add_option("--last-event-id", flags.last_event_id, "Resume after this event")
      ->type_name("ID")
      ->group(group);
}

void declare_output(CLI::App* verb, SubscribeFlags& flags) {
  const std::string group = "Output";
  verb->add_option("--format", flags.format, "text, ndjson (or json), raw (an event stream again)")
      ->type_name("FORMAT")
      ->capture_default_str()
      ->group(group);
  verb->add_flag("--json", flags.json, "As --format ndjson")->group(group);
  verb->add_flag("--raw", flags.raw, "As --format raw")->group(group);
  verb->add_flag("--data-only", flags.data_only, "The data alone, a line an event")->group(group);
  verb->add_flag("--parse-json", flags.parse_json, "ndjson: data as a value where it is JSON")
      ->group(group);
  verb->add_option("--event", flags.events, "Only events of this name; repeat for several")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->group(group);
  verb->add_flag("--latency", flags.latency, "Age of each event by the time in its data")
      ->group(group);
  verb->add_option("--records", flags.records,
                   "ndjson: events (with gap, error), or all (open, retry, heartbeat, summary)")
      ->type_name("WHICH")
      ->capture_default_str()
      ->group(group);
  verb->add_option("-o,--output", flags.output, "Write there instead of standard output")
      ->type_name("FILE")
      ->group(group);
  verb->add_option("--color", flags.colour, "auto, always, never")
      ->type_name("WHEN")
      ->envname("RT_COLOR")
      ->capture_default_str()
      ->group(group);
  verb->add_flag("-q,--quiet", flags.quiet, "No talk on standard error but errors")->group(group);
}

void declare_end(CLI::App* verb, SubscribeFlags& flags) {
  const std::string group = "End";
  verb->add_option("-n,--count", flags.count, "Stop after that many events")
      ->type_name("N")
      ->group(group);
  verb->add_option("--timeout", flags.timeout, "Stop after that long")
      ->type_name("TIME")
      ->group(group);
  verb->add_option("--wait", flags.wait, "Stop after that long without an event")
      ->type_name("TIME")
      ->group(group);
  verb->add_option("--expect", flags.expect, "Exit 1 if fewer events came")
      ->type_name("N")
      ->group(group);
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
}

}  // namespace

void declare(CLI::App* verb, SubscribeFlags& flags) {
  verb->alias("sub")->alias("tail");
  declare_source(verb, flags);
  declare_output(verb, flags);
  declare_end(verb, flags);
  flags.http.declare(verb);
}

Result<std::string> source_url(const SubscribeFlags& flags, const std::string& server,
                               WallTime now) {
  const std::string base = !flags.url.empty() ? flags.url
                           : !server.empty()  ? server
                                              : std::string(kDefaultUrl);
  if (flags.source == "runs") return runs_stream_url(base, RT_TRY(runs_filter(flags, now)));
  if (!flags.run_id.empty() || !flags.env_id.empty() || !flags.tags.empty()) {
    return fail(Code::usage, "--run, --env and --tag select runs, not events of a URL",
                "for example: rtctl subscribe runs --run r1");
  }
  if (flags.source.empty()) {
    if (!flags.url.empty()) return flags.url;
    return fail(Code::usage, "subscribe to what? no source is given",
                "for example: rtctl subscribe https://example.com/events");
  }
  if (!is_url(flags.source)) return fail(unknown_source(flags.source));
  if (!flags.url.empty()) return fail(Code::usage, "two URLs are given");
  if (!flags.since.empty() && is_time(flags.since)) {
    return fail(Code::usage, "a plain event stream resumes after an id, not from a time",
                "use --last-event-id ID");
  }
  return flags.source;
}

Result<std::string> resume_id(const SubscribeFlags& flags) {
  const bool since_is_id =
      flags.source == "runs" ? Position::parse(flags.since).has_value() : !flags.since.empty();
  if (since_is_id && !flags.last_event_id.empty()) {
    return fail(Code::usage, "--since and --last-event-id both name an event");
  }
  return since_is_id ? flags.since : flags.last_event_id;
}

Result<EventFormat> event_format(const SubscribeFlags& flags) {
  if (static_cast<int>(flags.data_only) + static_cast<int>(flags.raw) +
          static_cast<int>(flags.json) >
      1) {
    return fail(Code::usage, "--data-only, --raw and --json exclude each other");
  }
  if (flags.data_only) return EventFormat::data;
  if (flags.raw || flags.format == "raw") return EventFormat::raw;
  if (flags.json || flags.format == "ndjson" || flags.format == "json") return EventFormat::ndjson;
  if (flags.format == "text") return EventFormat::text;
  constexpr std::array<std::string_view, 4> kFormats = {"text", "ndjson", "json", "raw"};
  const auto near = nearest(flags.format, kFormats);
  return fail(Code::usage, fmt::format("unknown format \"{}\"", flags.format),
              near ? fmt::format("did you mean {}?", *near)
                   : std::string("it is one of text, ndjson, json, raw"));
}

Result<bool> shows_all_records(const SubscribeFlags& flags) {
  if (flags.records == "all") return true;
  if (flags.records == "events") return false;
  return fail(Code::usage,
              fmt::format("--records \"{}\" is neither events nor all", flags.records));
}

}  // namespace rt::rtctl

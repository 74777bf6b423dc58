#include "rtctl/subscribe_flags.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/text.h"
#include "base/units.h"

namespace rt::rtctl {
namespace {

void declare_output(CLI::App* verb, SubscribeFlags& flags) {
  const std::string group = "Output";
  verb->add_option("--format", flags.format,
                   "How events are printed; raw: as an event stream again (text)")
      ->type_name("text|ndjson|csv|raw|quiet")
      ->group(group);
  verb->add_flag("--json", flags.json, "As --format ndjson")->group(group);
  verb->add_flag("--raw", flags.raw, "As --format raw")->group(group);
  verb->add_flag("--data-only", flags.data_only, "The data alone, a line an event")->group(group);
  verb->add_option("--template", flags.line_template,
                   "A line of your own: '{recv} {event} {id} {topic} {/a/b} {data}'")
      ->type_name("TEXT")
      ->group(group);
  verb->add_option("--dump", flags.dump,
                   "The data of each event as a file in DIR; -: on standard output, ended by NUL")
      ->type_name("DIR")
      ->group(group);
  verb->add_flag("--parse-json", flags.parse_json, "ndjson: data as a value where it is JSON")
      ->group(group);
  verb->add_option("--records", flags.records,
                   "ndjson: events (with gap, error), or open, retry, heartbeat, summary too")
      ->type_name("events|all")
      ->capture_default_str()
      ->group(group);
  verb->add_flag("--latency", flags.latency, "Age of each event by the time in its data")
      ->group(group);
  verb->add_flag("--delta", flags.delta, "Time since the event before")->group(group);
  verb->add_option("-o,--output", flags.output, "Write there instead of standard output")
      ->type_name("FILE")
      ->group(group);
  verb->add_flag("--buffered", flags.buffered, "Gather output; else each event is written at once")
      ->group(group);
  verb->add_option("--state", flags.state,
                   "Keep the place in this file: a restarted tail goes on there")
      ->type_name("FILE")
      ->group(group);
  verb->add_option("--color", flags.colour, "Colours")
      ->type_name("auto|always|never")
      ->envname("RT_COLOR")
      ->capture_default_str()
      ->group(group);
  verb->add_flag("-q,--quiet", flags.quiet, "No talk on standard error but errors")->group(group);
}

void declare_choice(CLI::App* verb, SubscribeFlags& flags) {
  const std::string group = "Filter";
  verb->add_option("--event", flags.events, "Only events of this name; repeat for several")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->group(group);
  verb->add_option("--filter", flags.filters,
                   "Only if the data's JSON has it: '/status = done', '/seq >= 10', '/tags ~ a'")
      ->type_name("CONDITION")
      ->allow_extra_args(false)
      ->group(group);
}

void declare_end(CLI::App* verb, SubscribeFlags& flags) {
  const std::string group = "End";
  verb->add_option("-n,--count", flags.count, "Stop after that many events")
      ->type_name("N")
      ->group(group);
  verb->add_option("--until", flags.until, "Stop after the event with this id, or at that time")
      ->type_name("ID|TIME")
      ->group(group);
  verb->add_flag("--exit-at-end", flags.exit_at_end, "Stop where the past ends")->group(group);
  verb->add_option("--timeout", flags.timeout, "Stop after that long")
      ->type_name("TIME")
      ->group(group);
  verb->add_option("--wait", flags.wait, "Stop after that long without an event")
      ->type_name("TIME")
      ->group(group);
  verb->add_option("--expect", flags.expect, "Exit 1 if fewer events came")
      ->type_name("N")
      ->group(group);
}

}  // namespace

void declare(CLI::App* verb, SubscribeFlags& flags) {
  verb->alias("sub")->alias("tail");
  declare_sources(verb, flags.source);
  declare_choice(verb, flags);
  declare_output(verb, flags);
  declare_end(verb, flags);
  declare_connection(verb, flags.source);
}

Result<EventFormat> event_format(const SubscribeFlags& flags) {
  const int ways = (flags.format.empty() ? 0 : 1) + (flags.json ? 1 : 0) + (flags.raw ? 1 : 0) +
                   (flags.data_only ? 1 : 0) + (flags.line_template.empty() ? 0 : 1) +
                   (flags.dump.empty() ? 0 : 1);
  if (ways > 1) {
    return fail(Code::usage,
                "--format, --json, --raw, --data-only, --template and --dump exclude each other");
  }
  if (flags.json) return EventFormat::ndjson;
  if (flags.raw) return EventFormat::raw;
  if (flags.data_only) return EventFormat::data;
  if (!flags.dump.empty()) return flags.dump == "-" ? EventFormat::nul : EventFormat::none;
  constexpr std::array<std::pair<std::string_view, EventFormat>, 6> kFormats = {
      {{"text", EventFormat::text},
       {"ndjson", EventFormat::ndjson},
       {"json", EventFormat::ndjson},
       {"csv", EventFormat::csv},
       {"raw", EventFormat::raw},
       {"quiet", EventFormat::none}}};
  if (flags.format.empty()) return EventFormat::text;
  std::vector<std::string_view> names;
  for (const auto& [name, format] : kFormats) {
    if (flags.format == name) return format;
    names.push_back(name);
  }
  const auto near = nearest(flags.format, names);
  return fail(Code::usage,
              fmt::format("format \"{}\" is none of text, ndjson, csv, raw, quiet", flags.format),
              near ? fmt::format("did you mean {}?", *near) : std::string());
}

Result<bool> shows_all_records(const SubscribeFlags& flags) {
  if (flags.records == "events") return false;
  if (flags.records == "all") return true;
  return fail(Code::usage, fmt::format("records \"{}\" are neither events nor all", flags.records));
}

Result<Until> parse_until(const std::string& text, WallTime now) {
  Until until;
  if (text.empty()) return until;
  if (const auto after = parse_duration(text); after && text != "0") {
    until.time = now + std::chrono::duration_cast<std::chrono::microseconds>(*after);
  } else if (const auto time = parse_rfc3339(text)) {
    until.time = *time;
  } else {
    until.id = text;
  }
  return until;
}

}  // namespace rt::rtctl

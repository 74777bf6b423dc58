#include "rtreplay/verify_received.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "rtreplay/expected_events.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

using nlohmann::ordered_json;

struct Subscriber {
  std::string log;
  Delivery delivery;
  bool torn_log = false;

  // More of it stands outside of what was recorded than inside: what is inside proves nothing.
  bool unjudged() const { return delivery.outside > delivery.matched; }
  const char* verdict() const {
    if (delivery.violated()) return "violated";
    if (unjudged()) return "unjudged";
    return delivery.behind > 0 ? "behind" : "complete";
  }
};

Result<Expectation> expectation_of(const std::string& archive, const ReceivedOptions& options) {
  Expectation out;
  out.archive = archive;
  out.on_damage = RT_TRY(parse_on_damage(options.recover));
  if (!options.from.empty()) out.from = RT_TRY(ArchiveBound::parse(options.from));
  if (!options.to.empty()) out.to = RT_TRY(ArchiveBound::parse(options.to));
  if (options.tags_match != "any" && options.tags_match != "all") {
    return fail(Code::usage, fmt::format("unknown --tags-match \"{}\"", options.tags_match),
                "one of any, all");
  }
  out.run_id = options.run_id;
  out.env_id = options.env_id;
  out.tags = options.tags;
  out.all_tags = options.tags_match == "all";
  out.tables = options.tables;
  return out;
}

// By its first event, if nobody said.
Result<Surface> surface_of(const std::string& archive, const std::string& log,
                           const std::string& said) {
  if (said == "runs") return Surface::runs;
  if (said == "rows") return Surface::rows;
  if (said == "events") return Surface::events;
  if (said != "auto") {
    return fail(Code::usage, fmt::format("unknown --as \"{}\"", said),
                "one of auto, runs, rows, events");
  }
  const archive::Reader reader = RT_TRY(archive::Reader::open(archive));
  if (reader.header().origin.system_identifier == 0) return Surface::events;
  if (log == "-") return Surface::runs;  // can be read only once
  ReceivedLog records = RT_TRY(ReceivedLog::open(log));
  LoggedRecord record;
  while (RT_TRY(records.next(record))) {
    if (record.kind != LoggedRecord::Kind::event) continue;
    for (const char* name : {"insert", "update", "delete", "truncate", "message", "row"}) {
      if (record.event == name) return Surface::rows;
    }
    break;
  }
  return Surface::runs;
}

Result<Subscriber> judge(const std::string& log, const Expectation& expectation,
                         const std::string& said) {
  Subscriber out;
  out.log = log;
  const Surface surface = RT_TRY(surface_of(expectation.archive, log, said));
  const auto expected = RT_TRY(expected_events(surface, expectation));
  DeliveryJudge judge([&](ExpectedEvent& event) { return expected->next(event); },
                      expected->judge_options());
  ReceivedLog records = RT_TRY(ReceivedLog::open(log));
  LoggedRecord record;
  while (RT_TRY(records.next(record))) {
    if (record.kind == LoggedRecord::Kind::gap) judge.gap();
    if (record.kind != LoggedRecord::Kind::event) continue;
    if (const auto event = expected->received(record)) RT_CHECKED(judge.take(*event));
  }
  out.torn_log = records.is_torn();
  out.delivery = RT_TRY(judge.finish());
  return out;
}

ordered_json as_json(const Subscriber& subscriber) {
  const Delivery& d = subscriber.delivery;
  ordered_json first = ordered_json::object();
  ordered_json out = {{"log", subscriber.log},
                      {"verdict", subscriber.verdict()},
                      {"expected", d.expected},
                      {"received", d.received},
                      {"matched", d.matched}};
  for (std::size_t i = 0; i < kFaultNames.size(); ++i) {
    out[kFaultNames[i]] = d.faults[i];
    if (d.faults[i] == 0) continue;
    first[kFaultNames[i]] = {{"id", d.first[i].id}};
    if (d.first[i].line > 0) first[kFaultNames[i]]["line"] = d.first[i].line;
  }
  if (d.behind > 0) first["behind"] = {{"id", d.behind_from}};
  out["missing_at_start"] = d.missing_at_start;
  out["reordered_in_key"] = d.reordered_in_key;
  out["behind"] = d.behind;
  out["announced"] = d.announced;
  out["outside"] = d.outside;
  out["state_rows"] = d.state_rows;
  out["reconnects"] = d.reconnects;
  out["log_cut_off"] = subscriber.torn_log;
  out["first"] = std::move(first);
  return out;
}

void print_line(const char* name, std::uint64_t n, const std::string& more) {
  std::printf("  %-12s %12s%s%s\n", name, format_count(n).c_str(), more.empty() ? "" : "  ",
              more.c_str());
}

void print_text(const Subscriber& subscriber) {
  const Delivery& d = subscriber.delivery;
  std::printf("%s: %s: %s expected, %s received\n", subscriber.log.c_str(), subscriber.verdict(),
              format_count(d.expected).c_str(), format_count(d.received).c_str());
  for (std::size_t i = 0; i < kFaultNames.size(); ++i) {
    if (d.faults[i] == 0) continue;
    std::string more = "first " + (d.first[i].id.empty() ? "(no id)" : d.first[i].id);
    if (d.first[i].line > 0) more += fmt::format(", line {}", d.first[i].line);
    const auto fault = static_cast<Fault>(i);
    if (fault == Fault::missing && d.missing_at_start > 0) {
      more += fmt::format(" ({} before its first event: if it came later, say --from)",
                          format_count(d.missing_at_start));
    }
    if (fault == Fault::reordered) {
      more += fmt::format(" ({} after a later change of the same row)", d.reordered_in_key);
    }
    print_line(kFaultNames[i], d.faults[i], more);
  }
  if (d.behind > 0) {
    print_line("behind", d.behind, "has not got " + d.behind_from + " and what follows");
  }
  if (d.announced > 0) print_line("announced", d.announced, "lost in gaps it was told of");
  if (d.outside > 0) print_line("outside", d.outside, "from where nothing was recorded");
  if (d.state_rows > 0) print_line("state rows", d.state_rows, "");
  if (d.reconnects > 0) print_line("reconnects", d.reconnects, "");
  if (subscriber.torn_log) std::printf("  the last line of the log was cut off\n");
}

}  // namespace

Result<int> verify_received(const std::string& archive, const ReceivedOptions& options) {
  const Expectation expectation = RT_TRY(expectation_of(archive, options));
  ordered_json report = ordered_json::array();
  std::size_t violated = 0;
  std::size_t behind = 0;
  std::size_t unjudged = 0;
  std::string first_unjudged;
  for (const std::string& log : options.logs) {
    const Subscriber subscriber = RT_TRY(judge(log, expectation, options.surface));
    if (subscriber.delivery.violated()) {
      ++violated;
    } else if (subscriber.unjudged()) {
      if (unjudged++ == 0) first_unjudged = log;
    } else if (subscriber.delivery.behind > 0) {
      ++behind;
    }
    if (options.json) {
      report.push_back(as_json(subscriber));
    } else {
      print_text(subscriber);
    }
  }
  if (options.json) {
    const char* verdict = violated > 0   ? "violated"
                          : unjudged > 0 ? "unjudged"
                          : behind > 0   ? "behind"
                                         : "complete";
    const ordered_json out = {
        {"archive", archive}, {"verdict", verdict}, {"subscribers", std::move(report)}};
    std::printf("%s\n", out.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
  }
  std::fflush(stdout);
  if (violated > 0) {
    return fail(Code::integrity, fmt::format("{} of {} subscribers did not receive what {} holds",
                                             violated, options.logs.size(), archive));
  }
  if (unjudged > 0) {
    return fail(
        Code::usage,
        fmt::format("cannot judge {}: most of it is of a time or filter that {} does not hold",
                    first_unjudged, archive),
        "record the tables that it subscribed to, or see --as, --table and --env");
  }
  if (behind > 0) {
    return fail(Code::negative, fmt::format("{} of {} subscribers have not got all of {} yet",
                                            behind, options.logs.size(), archive));
  }
  return 0;
}

void declare_received(CLI::App* app, ReceivedOptions& options) {
  const char* group = "What subscribers received";
  app->add_option("--received", options.logs,
                  "What a subscriber wrote with rtctl sub --json -o LOG (repeatable)")
      ->type_name("LOG")
      ->allow_extra_args(false)
      ->group(group);
  app->add_option("--as", options.surface, "What it subscribed to: runs, wal, or what was recorded")
      ->type_name("auto|runs|rows|events")
      ->capture_default_str()
      ->group(group);
  app->add_option("--from", options.from, "Nothing before is missing: an event id, an LSN, a time")
      ->type_name("ID|LSN|TIME")
      ->group(group);
  app->add_option("--to", options.to, "Nothing after is missing")
      ->type_name("ID|LSN|TIME")
      ->group(group);
  app->add_option("--run", options.run_id, "The filter it subscribed with: one run")
      ->type_name("ID")
      ->group(group);
  app->add_option("--env", options.env_id, "Runs of one environment")
      ->type_name("ID")
      ->group(group);
  app->add_option("--tag", options.tags, "Runs with a tag (repeatable)")
      ->type_name("TAG")
      ->allow_extra_args(false)
      ->group(group);
  app->add_option("--tags-match", options.tags_match, "Any of the tags, or all of them")
      ->type_name("any|all")
      ->capture_default_str()
      ->group(group);
  app->add_option("--table", options.tables, "Rows of these tables; the runs table (task_run)")
      ->type_name("TABLE")
      ->allow_extra_args(false)
      ->group(group);
  app->add_option("--recover", options.recover,
                  "Damage: stop with exit 6, end before it, or skip it")
      ->type_name("strict|point-in-time|salvage")
      ->default_str("strict")
      ->group(group);
  app->add_flag("--json", options.json, "As one JSON object")->group(group);
}

}  // namespace rt::rtreplay

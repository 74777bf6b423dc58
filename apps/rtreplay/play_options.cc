#include "rtreplay/play_options.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "base/units.h"
#include "rtreplay/play_place.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

Result<double> parse_speed(const std::string& text) {
  if (text == "max") return kMaxSpeed;
  char* end = nullptr;
  const double speed = std::strtod(text.c_str(), &end);
  const std::string_view rest = end;
  if (end == text.c_str() || (!rest.empty() && rest != "x") || !std::isfinite(speed) ||
      speed < 0.01) {
    return fail(Code::usage, fmt::format("\"{}\" is no speed", text),
                "a number from 0.01 up (4, 0.5), or max");
  }
  return speed;
}

// "send", "stretch", "skip" or "skip=100ms".
Result<void> parse_late(const std::string& text, ArchiveSourceOptions& source) {
  // A wake-up is late by less, also on a busy machine.
  constexpr Duration kDefaultMax = std::chrono::milliseconds(100);
  constexpr std::string_view kSkip = "skip";
  if (text == "send") return {};
  if (text == "stretch") {
    source.late = LatePolicy::stretch;
    return {};
  }
  if (text.compare(0, kSkip.size(), kSkip) != 0 ||
      (text.size() > kSkip.size() && text[kSkip.size()] != '=')) {
    return fail(Code::usage, fmt::format("--late \"{}\" is none of send, skip, stretch", text),
                "skip=100ms leaves out what is later than that");
  }
  source.late = LatePolicy::skip;
  source.late_max = text.size() == kSkip.size()
                        ? kDefaultMax
                        : RT_TRY(parse_duration(text.substr(kSkip.size() + 1)));
  return {};
}

// Each must see all records.
RowMatch any_of(std::vector<RowMatch> rows) {
  if (rows.empty()) return {};
  return [rows = std::move(rows)](const RecordView& record) {
    bool found = false;
    for (const RowMatch& row : rows) found = row(record) || found;
    return found;
  };
}

void declare_pace(CLI::App* app, PlayOptions& options) {
  app->add_option("--speed", options.speed, "1 is as recorded; 0.01 and up, or max")
      ->type_name("FACTOR")
      ->capture_default_str();
  app->add_option("--max-gap", options.max_gap, "Shorten pauses to this (2s)")->type_name("TIME");
  app->add_option("--from", options.from, "First transaction: an event id, an LSN, or a time")
      ->type_name("ID|LSN|TIME");
  app->add_option("--until", options.until,
                  "Last transaction: an event id, an LSN, a time, or a row in it")
      ->type_name("ID|LSN|TIME|ROW");
  app->add_option("--break", options.breaks,
                  "Pause before it; end there if there are no keys (repeatable)")
      ->type_name("ID|LSN|TIME|ROW")
      ->allow_extra_args(false);
  app->add_option("--loop", options.loops, "Play this many times; 0 for ever")
      ->type_name("N")
      ->capture_default_str();
  app->add_option("--late", options.late,
                  "What is overdue is sent, left out if later than TIME, or delays the rest")
      ->type_name("send|skip[=TIME]|stretch")
      ->capture_default_str();
  app->add_option("--max-late", options.max_late, "Exit 7 if the p99 of lateness is above (2ms)")
      ->type_name("TIME");
  app->add_flag("--dry-run", options.dry_run, "Say what would be played");
  app->add_flag("--no-keys", options.no_keys, "Do not read keys from the terminal");
  app->add_flag("-q,--quiet", options.quiet, "No summary, no keys");
  add_recover_option(app, options.recover);
}

void declare_transform(CLI::App* app, TransformOptions& options) {
  app->add_option("--map", options.maps, "Play one table as another (repeatable)")
      ->type_name("FROM=TO")
      ->allow_extra_args(false);
  app->add_option("--rewrite", options.rewrites,
                  "Change a column on the way: hash, drop, null, +N, -N, or shift times to now")
      ->type_name("TABLE.COLUMN=HOW")
      ->allow_extra_args(false);
  app->add_option("--rewrite-key", options.key_file,
                  "Key of pseudonyms (ARCHIVE.redact-key; made if it is missing)")
      ->type_name("FILE");
  app->add_option("--ids", options.ids, "Ids as recorded, or new ones that rise from play to play")
      ->type_name("original|fresh")
      ->capture_default_str();
}

void declare_target(CLI::App* app, PlayOptions& options) {
  app->add_option("--format", options.target.format, "How rows are printed on stdout")
      ->type_name("ndjson|text")
      ->capture_default_str();
  app->add_option("--listen", options.sse.listen, "Where sse listens")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  app->add_option("--table", options.sse.table, "The table that sse serves")
      ->type_name("NAME")
      ->capture_default_str();
  app->add_option("--await-subscribers", options.sse.await_subscribers,
                  "sse: begin when so many are there")
      ->type_name("N")
      ->capture_default_str();
  app->add_option("--pg", options.target.messages.pg, "notify: the database (else PG*)")
      ->type_name("DSN");
  app->add_option("--channel", options.target.messages.channel,
                  "notify, redis: where rows are published (rtreplay)")
      ->type_name("NAME");
  app->add_option("--to-stream", options.target.messages.stream,
                  "redis: append rows to this stream")
      ->type_name("KEY");
  app->add_option("--on-conflict", options.target.postgres.on_conflict,
                  "PostgreSQL: a row that is there, or is missing, against what was recorded")
      ->type_name("upsert|fill|skip|error")
      ->capture_default_str();
  app->add_option("--progress-name", options.target.postgres.progress_name,
                  "PostgreSQL: under one name it is played once (else the recording's)")
      ->type_name("NAME");
  app->add_flag("--with-triggers", options.target.postgres.with_triggers,
                "PostgreSQL: fire triggers and check foreign keys, as the application does");
  app->add_flag("--i-know", options.target.postgres.i_know,
                "PostgreSQL: even if it is the database that was recorded");
  app->add_flag("--yes", options.target.yes, "Also to a target that is not on this machine");
}

}  // namespace

void PlayOptions::declare(CLI::App* app) {
  app->add_option("ARCHIVE", path, "File or directory")->required();
  app->add_option("--to", target.to,
                  "postgresql://.., http://.., redis://.., notify, sse, stdout, null")
      ->type_name("TARGET")
      ->required();
  declare_pace(app, *this);
  declare_transform(app, transform);
  declare_target(app, *this);
}

Result<ArchiveSourceOptions> PlayOptions::source() const {
  ArchiveSourceOptions source;
  source.path = path;
  source.pace.speed = RT_TRY(parse_speed(speed));
  if (!max_gap.empty()) source.pace.max_gap = RT_TRY(parse_duration(max_gap));
  if (!from.empty()) source.from = RT_TRY(ArchiveBound::parse(from));
  if (!until.empty()) {
    PlayPlace last = RT_TRY(PlayPlace::parse(until));
    source.to = last.bound;
    source.last_row = std::move(last.row);
  }
  std::vector<RowMatch> rows;
  for (const std::string& text : breaks) {
    PlayPlace place = RT_TRY(PlayPlace::parse(text));
    if (place.bound) source.breaks.push_back(*place.bound);
    if (place.row) rows.push_back(std::move(place.row));
  }
  source.break_row = any_of(std::move(rows));
  source.loops = loops;
  RT_CHECKED(parse_late(late, source));
  source.on_damage = RT_TRY(parse_on_damage(recover));
  return source;
}

}  // namespace rt::rtreplay

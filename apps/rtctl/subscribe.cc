// rtctl subscribe: follows a source of events and prints them.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "base/units.h"
#include "cli/stop_watch.h"
#include "cli/terminal.h"
#include "rtctl/event_dump.h"
#include "rtctl/event_printer.h"
#include "rtctl/sources.h"
#include "rtctl/subscribe_flags.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

// What the flags come to, checked.
struct Plan {
  OpenSource source;
  PrinterOptions printer;
  EventOutput output;
  cli::StopWatch::Options stop;
  std::uint64_t expected = 0;
};

// The place that an earlier run with the same --state has left.
Result<std::optional<Cursor>> saved_cursor(const SubscribeFlags& flags) {
  if (flags.state.empty()) return std::nullopt;
  if (!flags.source.last.empty()) {
    return fail(Code::usage, "--state goes on where it stopped, --last skips what was missed");
  }
  return read_cursor(flags.state);
}

Result<void> check_cursor(const Cursor& saved, const SubscribeFlags& flags,
                          const std::string& stream) {
  if (saved.stream == stream) return {};
  return fail(Code::usage,
              fmt::format("state {} belongs to {}, not to {}", flags.state, saved.stream, stream),
              "name another file with --state");
}

Result<void> plan_choice(const SubscribeFlags& flags, Plan& plan, WallTime now) {
  PrinterOptions& printer = plan.printer;
  printer.events.insert(flags.events.begin(), flags.events.end());
  printer.filter = RT_TRY(EventFilter::parse(flags.filters));
  printer.until = RT_TRY(parse_until(flags.until, now));
  printer.exit_at_end = flags.exit_at_end;
  if (!flags.count.empty()) printer.count_max = RT_TRY(parse_count(flags.count));
  if (!flags.expect.empty()) plan.expected = RT_TRY(parse_count(flags.expect));
  if (!flags.timeout.empty()) plan.stop.time_max = RT_TRY(parse_duration(flags.timeout));
  if (!flags.wait.empty()) plan.stop.quiet_max = RT_TRY(parse_duration(flags.wait));
  if (printer.until.time && *printer.until.time > now) {
    const Duration left = *printer.until.time - now;
    plan.stop.time_max = std::min(plan.stop.time_max.value_or(left), left);
  }
  if (flags.source.last.empty()) return {};
  printer.last_max = RT_TRY(parse_count(flags.source.last));
  constexpr std::uint64_t kLastMax = 1'000'000;  // they are held in memory until the past ends
  if (*printer.last_max > kLastMax) return fail(Code::usage, "--last is at most 1M events");
  if (!plan.source.tells_past) {
    return fail(Code::usage, "this source does not say where its past ends: --last cannot work",
                "use --since ID, or --exit-at-end and tail");
  }
  return {};
}

Result<void> plan_format(const SubscribeFlags& flags, Plan& plan) {
  PrinterOptions& printer = plan.printer;
  const int fd = plan.output.fd();
  printer.format.format = RT_TRY(event_format(flags));
  if (!flags.line_template.empty()) {
    printer.line_template = RT_TRY(EventTemplate::parse(flags.line_template));
  }
  if (!flags.dump.empty() && flags.dump != "-") {
    printer.dump_folder = flags.dump;
    RT_CHECKED(prepare_dump(flags.dump));
  }
  printer.format.parse_json = flags.parse_json;
  printer.format.terminal = cli::is_terminal(fd);
  printer.format.colour = RT_TRY(cli::use_colour(flags.colour, fd));
  printer.format.columns = cli::terminal_columns(fd);
  printer.all_records = RT_TRY(shows_all_records(flags));
  const bool wants_latency = printer.line_template && printer.line_template->needs_latency();
  printer.latency = flags.latency || wants_latency;
  printer.delta = flags.delta || printer.line_template.has_value();
  printer.buffered = flags.buffered;
  printer.quiet = flags.quiet;
  printer.status_line = !flags.quiet && cli::is_live_terminal(1) && cli::is_live_terminal(2);
  return {};
}

Result<Plan> make_plan(const SubscribeFlags& flags) {
  Plan plan;
  const SystemClock clock;
  const WallTime now = clock.wall();
  std::optional<Cursor> saved = RT_TRY(saved_cursor(flags));
  plan.source = RT_TRY(open_source(flags.source, saved ? saved->id : "", now));
  const std::string stream = plan.source.stream->name();
  if (saved) RT_CHECKED(check_cursor(*saved, flags, stream));
  RT_CHECKED(plan_choice(flags, plan, now));
  plan.output = RT_TRY(EventOutput::open(
      flags.output, saved ? saved->output_bytes : std::optional<std::uint64_t>()));
  RT_CHECKED(plan_format(flags, plan));
  plan.printer.state_path = flags.state;
  plan.printer.cursor = saved.value_or(Cursor{stream, "", std::nullopt});
  plan.stop.watch_output = !plan.output.is_file();
  return plan;
}

// The exit status of a subscription that ended without an error of its own.
Result<int> outcome(const EventPrinter& printer, const cli::StopWatch& watch,
                    std::uint64_t wanted) {
  const Totals totals = printer.totals();
  if (printer.write_error()) return fail(*printer.write_error());
  if (printer.reader_gone() || watch.cause() == cli::StopCause::reader_gone) return 0;
  if (watch.cause() == cli::StopCause::interrupted) {
    std::fprintf(stderr, "rtctl: interrupted: %s\n", totals_line(totals).c_str());
    return watch.signal_status();
  }
  const bool time_up = watch.cause() == cli::StopCause::time_up;
  if (totals.events >= wanted) {
    const std::optional<std::string> failure = printer.never_connected();
    if (!time_up || !failure) return 0;
    return fail(Code::unreachable, "not connected in time: " + *failure,
                "check that the server is up, or allow more time");
  }
  return fail(Code::negative, fmt::format("{} of {} events arrived {}", totals.events, wanted,
                                          time_up ? "in time" : "before the stream ended"));
}

Result<int> run(const SubscribeFlags& flags) {
  Plan plan = RT_TRY(make_plan(flags));
  if (plan.printer.count_max == 0u) return 0;
  const std::uint64_t wanted = std::max(plan.expected, plan.printer.count_max.value_or(0));
  const auto watch = RT_TRY(cli::StopWatch::start(plan.stop));
  EventPrinter printer(std::move(plan.printer), std::move(plan.output), *watch);
  watch->on_snapshot([&printer] {
    std::fprintf(stderr, "rtctl: so far: %s\n", totals_line(printer.totals()).c_str());
  });
  const Result<StreamEnd> end = plan.source.stream->run(printer, watch->token());
  watch->on_snapshot({});
  printer.finish(end ? nullptr : &end.error());
  if (!end) {
    Error error = end.error();
    if (plan.source.kind == "url" && error.code == Code::unreachable && error.hint.empty()) {
      error.hint =
          fmt::format("\"rtctl doctor {}\" says what is in the way", plan.source.stream->name());
    } else if (error.code == Code::unreachable && error.hint.empty()) {
      error.hint = "start a server with \"rtctl serve\", or name one with --url";
    }
    return fail(std::move(error));
  }
  return outcome(printer, *watch, wanted);
}

}  // namespace

void add_subscribe(cli::Tool& tool) {
  auto flags = std::make_shared<SubscribeFlags>();
  CLI::App* verb = tool.verb("subscribe", "Print the events of a stream as they come",
                             [flags] { return run(*flags); });
  declare(verb, *flags);
  cli::Tool::examples(
      verb,
      "  rtctl sub https://example.com/events                       for people\n"
      "  rtctl sub URL --format ndjson | jq -r .data                for programs\n"
      "  rtctl sub URL --event delta --count 1 --timeout 5s         for scripts: exit 0 or 1\n"
      "  rtctl sub URL --state tail.json --json -o log.ndjson       goes on where it was killed\n"
      "  rtctl sub runs --env prod --tag nightly --since 15m        from rtctl serve\n"

      "sources:\n" +
          source_table() +
          "exit status: 0 done, 1 too few events, 3 retries spent, 4 refused, 130 interrupted");
}

}  // namespace rt::rtctl

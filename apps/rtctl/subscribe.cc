// rtctl subscribe: follows an event stream and prints it.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "base/text.h"
#include "base/units.h"
#include "cli/environment.h"
#include "cli/http_flags.h"
#include "cli/stop_watch.h"
#include "cli/terminal.h"
#include "http/sse_client.h"
#include "rtctl/event_printer.h"
#include "rtctl/runs_query.h"
#include "rtctl/subscribe_flags.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

// What the flags come to, checked.
struct Plan {
  std::string url;
  SseOptions sse;
  PrinterOptions printer;
  cli::StopWatch::Options stop;
  Fd file;  // -o FILE
  std::uint64_t expected = 0;

  int output() const { return file ? file.get() : STDOUT_FILENO; }
};

Result<Fd> open_output(const std::string& path) {
  if (path.empty() || path == "-") return Fd();
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file) return fail(os_error("cannot write to " + path, errno, Code::usage));
  return file;
}

Result<Plan> make_plan(const SubscribeFlags& flags) {
  Plan plan;
  const SystemClock clock;
  plan.url = RT_TRY(source_url(flags, cli::first_set({"RT_URL"}), clock.wall()));
  plan.sse.http = RT_TRY(flags.http.options());
  plan.sse.last_event_id = RT_TRY(resume_id(flags));
  plan.sse.reconnect = !flags.no_reconnect;
  plan.sse.strict = flags.strict;
  plan.sse.heartbeat_timeout = RT_TRY(parse_duration(flags.heartbeat_timeout));
  // The parser counts in 32 bits; an event beyond 2 GiB is no event.
  const std::uint64_t event_bytes = RT_TRY(parse_bytes(flags.max_event));
  plan.sse.event_bytes_max =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(event_bytes, 1u << 31));
  if (!flags.max_retries.empty()) {
    const std::uint64_t retries = RT_TRY(parse_count(flags.max_retries));
    plan.sse.retries_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(retries, 1u << 30));
  }
  if (!flags.count.empty()) plan.printer.count_max = RT_TRY(parse_count(flags.count));
  if (!flags.expect.empty()) plan.expected = RT_TRY(parse_count(flags.expect));
  if (!flags.timeout.empty()) plan.stop.time_max = RT_TRY(parse_duration(flags.timeout));
  if (!flags.wait.empty()) plan.stop.quiet_max = RT_TRY(parse_duration(flags.wait));
  plan.file = RT_TRY(open_output(flags.output));
  plan.stop.watch_output = !plan.file;

  PrinterOptions& printer = plan.printer;
  printer.format.format = RT_TRY(event_format(flags));
  printer.format.parse_json = flags.parse_json;
  printer.format.terminal = cli::is_terminal(plan.output());
  printer.format.colour = RT_TRY(cli::use_colour(flags.colour, plan.output()));
  printer.format.columns = cli::terminal_columns(plan.output());
  printer.events.insert(flags.events.begin(), flags.events.end());
  printer.all_records = RT_TRY(shows_all_records(flags));
  printer.latency = flags.latency;
  printer.quiet = flags.quiet;
  return plan;
}

// The exit status of a subscription that ended without an error of its own.
Result<int> outcome(const Plan& plan, const EventPrinter& printer, const cli::StopWatch& watch) {
  const Totals totals = printer.totals();
  if (printer.write_error()) return fail(*printer.write_error());
  if (printer.reader_gone() || watch.cause() == cli::StopCause::reader_gone) return 0;
  if (watch.cause() == cli::StopCause::interrupted) {
    std::fprintf(stderr, "rtctl: interrupted: %s\n", totals_line(totals).c_str());
    return watch.signal_status();
  }
  const std::uint64_t wanted = std::max(plan.expected, plan.printer.count_max.value_or(0));
  if (totals.events >= wanted) return 0;
  const bool time_up = watch.cause() == cli::StopCause::time_up;
  return fail(Code::negative, fmt::format("{} of {} events arrived {}", totals.events, wanted,
                                          time_up ? "in time" : "before the stream ended"));
}

Result<int> run(const SubscribeFlags& flags) {
  const Plan plan = RT_TRY(make_plan(flags));
  if (plan.printer.count_max == 0u) return 0;
  const auto watch = RT_TRY(cli::StopWatch::start(plan.stop));
  EventPrinter printer(plan.printer, plan.output(), *watch);
  const Result<SseEnd> end = subscribe(plan.url, plan.sse, printer, watch->token());
  printer.finish(end ? nullptr : &end.error());
  if (!end) {
    Error error = end.error();
    if (flags.source == "runs" && error.code == Code::unreachable && error.hint.empty()) {
      error.hint = "start a server with \"rtctl serve\", or name one with --url";
    }
    return fail(std::move(error));
  }
  return outcome(plan, printer, *watch);
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
      "  rtctl sub runs --env prod --tag nightly --since 15m        from rtctl serve\n"
      "exit status: 0 done, 1 too few events, 3 retries spent, 4 refused, 130 interrupted");
}

}  // namespace rt::rtctl

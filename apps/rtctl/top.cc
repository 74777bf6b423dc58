// rtctl top: how fast the events of a source come, live.
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/fd.h"
#include "base/units.h"
#include "cli/stop_watch.h"
#include "cli/terminal.h"
#include "rtctl/event_age.h"
#include "rtctl/live_screen.h"
#include "rtctl/sources.h"
#include "rtctl/top_screen.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

struct Top {
  SourceFlags source;
  std::string by;
  std::string interval = "1s";
  std::string count;
  std::string timeout;
  std::string colour = "auto";
  bool plain = false;
};

// What events are counted under: "event", "topic", a JSON pointer into the data; by default topic
// and event.
class Grouping {
 public:
  static Result<Grouping> parse(const std::string& by) {
    Grouping grouping;
    grouping.by_ = by;
    if (by.empty() || by == "event" || by == "topic") return grouping;
    try {
      grouping.pointer_ = nlohmann::json::json_pointer(by.front() == '/' ? by : "/" + by);
    } catch (const nlohmann::json::exception&) {
      return fail(Code::usage, fmt::format("--by \"{}\" is no JSON pointer", by),
                  "for example --by /status, --by event or --by topic");
    }
    return grouping;
  }
  std::string key(const StreamEvent& event) const {
    if (by_ == "event") return std::string(event.event);
    if (by_ == "topic") return event.topic.empty() ? "(none)" : std::string(event.topic);
    if (by_.empty()) {
      return event.topic.empty() ? std::string(event.event)
                                 : fmt::format("{} {}", event.topic, event.event);
    }
    const auto data = nlohmann::json::parse(event.data, nullptr, /*allow_exceptions=*/false);
    if (data.is_discarded() || !data.contains(pointer_)) return "(none)";
    const nlohmann::json& value = data[pointer_];
    return value.is_string() ? value.get<std::string>()
                             : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

 private:
  std::string by_;
  nlohmann::json::json_pointer pointer_;
};

// Counts on the thread of the stream; asked from the thread of the screen.
class Counter final : public EventTaker {
 public:
  Counter(Grouping grouping, std::string source)
      : grouping_(std::move(grouping)),
        source_(std::move(source)),
        started_(clock_.now()),
        rates_(started_) {}

  bool on_event(const StreamEvent& event) override {
    const std::string key = grouping_.key(event);
    const WallTime received = clock_.wall();
    const std::optional<double> age_ms =
        event.written
            ? std::optional(
                  std::chrono::duration<double, std::milli>(received - *event.written).count())
            : event_age_ms(event.data, received);
    const std::lock_guard lock(mutex_);
    rates_.count(key, event.data.size(), age_ms, clock_.now());
    return true;
  }
  void on_open(bool) override { set_link("connected"); }
  void on_retry(const StreamRetry& retry) override {
    set_link("not connected: " + retry.reason.text);
  }

  TopView view() const {
    const Instant now = clock_.now();
    const std::lock_guard lock(mutex_);
    return {source_, link_, now - started_, rates_.total(now), rates_.rows(now)};
  }

 private:
  void set_link(std::string link) {
    const std::lock_guard lock(mutex_);
    link_ = std::move(link);
  }

  Grouping grouping_;
  std::string source_;
  SystemClock clock_;
  Instant started_;
  mutable std::mutex mutex_;
  StreamRates rates_;
  std::string link_ = "connecting";
};

// Draws on a thread of its own, so that a busy stream is counted and not drawn.
class Display {
 public:
  struct Options {
    Duration interval{};
    std::uint64_t draws_max = 0;  // 0: no limit
    bool live = false;
    bool colour = false;
  };
  Display(const Counter& counter, const Options& options, std::stop_source stop)
      : counter_(counter),
        options_(options),
        stop_(std::move(stop)),
        end_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    thread_ = std::thread([this] { options_.live ? redraw() : print_lines(); });
  }
  ~Display() {
    const std::uint64_t one = 1;
    (void)!::write(end_.get(), &one, sizeof one);
    thread_.join();
  }
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;

 private:
  enum class Wake { timer, key, end };

  Wake wait(int key_fd, Instant until) const {
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock_.now()).count();
      pollfd waits[2] = {{end_.get(), POLLIN, 0}, {key_fd, POLLIN, 0}};
      // An interval is a day at most; it fits.
      const int ready =
          ::poll(waits, 2, static_cast<int>(std::clamp<std::int64_t>(left, 0, 86'400'000)));
      if (waits[0].revents != 0) return Wake::end;
      if (ready > 0 && waits[1].revents != 0) return Wake::key;
      if (left <= 0) return Wake::timer;
    }
  }

  void print_lines() {
    Instant next = clock_.now();
    for (std::uint64_t n = 1;; ++n) {
      next += options_.interval;
      if (wait(-1, next) == Wake::end) return;
      std::printf("%s\n", top_line(counter_.view()).c_str());
      const bool written = std::fflush(stdout) == 0;
      if (!written || n == options_.draws_max) return (void)stop_.request_stop();
    }
  }

  void redraw() {
    LiveScreen screen(STDOUT_FILENO, STDIN_FILENO);
    Instant next = clock_.now();
    int keys = screen.key_fd();
    for (std::uint64_t n = 0;;) {
      const std::size_t lines = std::max<std::size_t>(cli::terminal_lines(STDOUT_FILENO), 2) - 1;
      const bool drawn = screen.draw(top_screen(
          counter_.view(), cli::terminal_columns(STDOUT_FILENO), lines, options_.colour));
      if (!drawn || (++n == options_.draws_max)) return (void)stop_.request_stop();
      next += options_.interval;
      Wake wake = wait(keys, next);
      while (wake == Wake::key) {
        const char key = screen.take_key();
        if (key == 'q' || key == 'Q') return (void)stop_.request_stop();
        if (key == '\0') keys = -1;  // the input has ended
        wake = wait(keys, next);
      }
      if (wake == Wake::end) return;
    }
  }

  const Counter& counter_;
  const Options options_;
  std::stop_source stop_;
  SystemClock clock_;
  Fd end_;
  std::thread thread_;
};

Result<Display::Options> display_options(const Top& flags) {
  Display::Options options;
  options.interval = RT_TRY(parse_duration(flags.interval));
  if (options.interval < std::chrono::milliseconds(100) ||
      options.interval > std::chrono::hours(24)) {
    return fail(Code::usage, "--interval lies between 100ms and 1d");
  }
  if (!flags.count.empty()) options.draws_max = RT_TRY(parse_count(flags.count));
  options.live = !flags.plain && cli::is_live_terminal(STDOUT_FILENO);
  options.colour = RT_TRY(cli::use_colour(flags.colour, STDOUT_FILENO));
  return options;
}

Result<int> run(const Top& flags) {
  const Display::Options options = RT_TRY(display_options(flags));
  Grouping grouping = RT_TRY(Grouping::parse(flags.by));
  const SystemClock clock;
  const OpenSource source = RT_TRY(open_source(flags.source, "", clock.wall()));
  cli::StopWatch::Options limits;
  limits.watch_output = true;
  if (!flags.timeout.empty()) limits.time_max = RT_TRY(parse_duration(flags.timeout));
  const auto watch = RT_TRY(cli::StopWatch::start(limits));
  std::stop_source stop;
  const std::stop_callback stopped(watch->token(), [&stop] { stop.request_stop(); });
  Counter counter(std::move(grouping), source.stream->name());
  const Result<StreamEnd> end = [&] {
    const Display display(counter, options, stop);
    return source.stream->run(counter, stop.get_token());
  }();
  if (!end) return fail(end.error());
  return watch->cause() == cli::StopCause::interrupted ? watch->signal_status() : 0;
}

void declare(CLI::App* verb, Top& flags) {
  declare_sources(verb, flags.source);
  const std::string group = "Screen";
  verb->add_option("--by", flags.by, "Count by event, topic, or a pointer into the data (/status)")
      ->type_name("WHAT")
      ->group(group);
  verb->add_option("--interval", flags.interval, "Time between two drawings")
      ->type_name("TIME")
      ->capture_default_str()
      ->group(group);
  verb->add_option("-n,--count", flags.count, "Stop after that many drawings")
      ->type_name("N")
      ->group(group);
  verb->add_option("--timeout", flags.timeout, "Stop after that long")
      ->type_name("TIME")
      ->group(group);
  verb->add_flag("--plain", flags.plain, "A line each time, on a terminal too")->group(group);
  verb->add_option("--color", flags.colour, "auto, always, never")
      ->type_name("WHEN")
      ->envname("RT_COLOR")
      ->capture_default_str()
      ->group(group);
  declare_connection(verb, flags.source);
}

}  // namespace

void add_top(cli::Tool& tool) {
  auto flags = std::make_shared<Top>();
  CLI::App* verb =
      tool.verb("top", "Show how fast events come, live", [flags] { return run(*flags); });
  declare(verb, *flags);
  cli::Tool::examples(verb,
                      "  rtctl top https://example.com/events       q or Ctrl-C ends it\n"
                      "  rtctl top runs --by /status                rates of each status\n"
                      "  rtctl top runs --interval 10s > rates.txt  a line every 10 s\n"
                      "sources:\n" +
                          source_table());
}

}  // namespace rt::rtctl

#include "rtreplay/play_console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/units.h"
#include "cli/terminal.h"
#include "pipe/play_clock.h"

namespace rt::rtreplay {
namespace {

// How often the line is drawn anew: smooth for an eye, nothing for the machine.
constexpr int kLookMs = 200;

std::string speed_text(double speed) {
  return speed == kMaxSpeed ? std::string("max") : fmt::format("{:g}x", speed);
}

}  // namespace

std::string status_text(const PlayState& state, const ArchiveSpan& recording, std::size_t columns) {
  const char* what = state.hurrying ? "going there" : state.paused ? "paused" : "playing";
  const std::int64_t span = recording.us();
  const std::int64_t played = std::clamp<std::int64_t>(state.t_us - recording.first_us, 0, span);
  std::string text = fmt::format("{} {}", what, speed_text(state.speed));
  const auto add = [&](const std::string& part) {
    if (text.size() + 3 + part.size() <= columns) text += " | " + part;
  };
  std::string times = fmt::format("{:.1f} of {:.1f} s", static_cast<double>(played) / 1e6,
                                  static_cast<double>(span) / 1e6);
  if (state.speed != kMaxSpeed) {
    times += fmt::format(", {:.1f} s left", static_cast<double>(span - played) / 1e6 / state.speed);
  }
  add(times);
  add("? keys");
  if (state.speed != kMaxSpeed) add("late p99 " + format_duration(state.late_p99));
  add(state.position.text());
  return text.substr(0, columns);
}

Result<std::unique_ptr<PlayConsole>> PlayConsole::open(const Clock& clock) {
  if (!cli::is_terminal(STDIN_FILENO)) return std::unique_ptr<PlayConsole>();
  auto terminal = RT_TRY(cli::KeyTerminal::open(STDIN_FILENO));
  auto bell = RT_TRY(io::Wakeup::create());
  return std::unique_ptr<PlayConsole>(new PlayConsole(clock, std::move(terminal), std::move(bell)));
}

PlayConsole::PlayConsole(const Clock& clock, std::unique_ptr<cli::KeyTerminal> terminal,
                         io::Wakeup bell)
    : clock_(clock),
      terminal_(std::move(terminal)),
      bell_(std::move(bell)),
      live_(cli::is_live_terminal(STDERR_FILENO)) {}

PlayConsole::~PlayConsole() {
  stop();
}

void PlayConsole::start(const ArchiveSpan& recording) {
  recording_ = recording;
  thread_ = std::thread([this] { run(); });
}

void PlayConsole::stop() {
  if (!thread_.joinable()) return;
  finished_ = true;
  bell_.ring();
  thread_.join();
  const std::lock_guard lock(screen_);
  clear();
}

std::unique_lock<std::mutex> PlayConsole::quiet() {
  std::unique_lock lock(screen_);
  clear();
  return lock;
}

void PlayConsole::run() {
  while (!finished_) {
    draw();
    terminal_->wait(bell_.fd(), kLookMs);
    if (terminal_->take_signal() == cli::KeyTerminal::Signal::stop) hold();
    take_keys();
  }
  for (const std::string& line : control_.take_said()) print(line);
}

void PlayConsole::take_keys() {
  const std::string keys = terminal_->take_keys();
  for (PlayKeys::Wish& wish : keys_.take(keys, clock_.now())) fulfil(std::move(wish));
}

void PlayConsole::fulfil(PlayKeys::Wish wish) {
  switch (wish.kind) {
    case PlayKeys::Wish::Kind::command:
      if (!control_.ask(std::move(wish.command)))
        print("too many keys at once: the last is ignored");
      return;
    case PlayKeys::Wish::Kind::help:
      for (const std::string& line : PlayKeys::help()) print(line);
      return;
    case PlayKeys::Wish::Kind::unclear:
      print(wish.text);
  }
}

// The time that a person lets the process stand still is no lateness.
void PlayConsole::hold() {
  const bool paused = control_.state().paused;
  if (!paused) control_.ask({PlayCommand::Kind::pause, clock_.now(), {}});
  {
    const std::lock_guard lock(screen_);
    clear();
  }
  terminal_->hold();
  if (!paused) control_.ask({PlayCommand::Kind::resume, clock_.now(), {}});
}

void PlayConsole::draw() {
  for (const std::string& line : control_.take_said()) print(line);
  if (!live_) return;
  const std::size_t columns = cli::terminal_columns(STDERR_FILENO) - 1;
  std::string text = keys_.typed();
  if (text.empty()) text = status_text(control_.state(), recording_, columns);
  if (text.size() > columns) text.erase(0, text.size() - columns);
  const std::lock_guard lock(screen_);
  if (on_screen_ && text == shown_) return;
  std::fprintf(stderr, "\r%s\x1b[K", text.c_str());
  shown_ = text;
  on_screen_ = true;
}

void PlayConsole::clear() {
  if (on_screen_) std::fprintf(stderr, "\r\x1b[K");
  on_screen_ = false;
}

void PlayConsole::print(const std::string& line) {
  const std::lock_guard lock(screen_);
  clear();
  std::fprintf(stderr, "rtreplay: %s\n", line.c_str());
}

}  // namespace rt::rtreplay

#include "rtbench/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "rtbench/live_screen.h"

namespace rt::rtbench {
namespace {

constexpr double kPlainEvery_s = 10;
// What a row of blocks can show.
constexpr std::size_t kHistoryMax = 120;

bool is_live_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) != 0 && term != nullptr && std::string_view(term) != "dumb";
}

std::size_t columns() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

std::string json_line(const EngineProgress& p) {
  const SecondSample& s = p.second;
  const nlohmann::ordered_json line = {
      {"type", "progress"},      {"at_s", p.elapsed_s},          {"phase", p.phase},
      {"asked", p.asked},        {"connections", s.connections}, {"gave_up", p.gave_up},
      {"offered", s.offered},    {"achieved", s.sent},           {"received", s.received},
      {"p50", s.p50_us / 1'000}, {"p95", s.p95_us / 1'000},      {"max", s.max_us / 1'000}};
  return line.dump();
}

}  // namespace

Result<ProgressLine::Style> ProgressLine::parse(const std::string& word) {
  if (word == "auto") return Style::automatic;
  if (word == "tty") return Style::tty;
  if (word == "plain") return Style::plain;
  if (word == "json") return Style::json;
  if (word == "none") return Style::none;
  return fail(Code::usage,
              fmt::format("--progress {}: expected auto, tty, plain, json or none", word));
}

ProgressLine::ProgressLine(Style style) : style_(style) {
  if (style_ == Style::automatic) style_ = is_live_terminal() ? Style::tty : Style::plain;
  if (style_ != Style::none) writer_ = std::thread([this] { write_all(); });
}

ProgressLine::~ProgressLine() {
  if (!writer_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  writer_.join();
}

void ProgressLine::show(const EngineProgress& progress) {
  if (style_ == Style::none) return;
  {
    const std::lock_guard lock(mutex_);
    if (style_ != Style::json) shown_.clear();
    if (shown_.size() < kFactsMax) shown_.push_back(progress);
  }
  changed_.notify_all();
}

void ProgressLine::say(std::string_view text) {
  if (style_ == Style::none) return;
  {
    const std::lock_guard lock(mutex_);
    if (facts_.size() < kFactsMax) {
      facts_.emplace_back(text);
    } else {
      ++facts_dropped_;
    }
  }
  changed_.notify_all();
}

void ProgressLine::clear() {
  if (!writer_.joinable()) return;
  std::unique_lock lock(mutex_);
  clearing_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return !clearing_; });
}

// The body of the writing thread.
void ProgressLine::write_all() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock,
                  [this] { return over_ || clearing_ || !facts_.empty() || !shown_.empty(); });
    const std::vector<std::string> facts = std::exchange(facts_, {});
    const std::size_t dropped = std::exchange(facts_dropped_, 0);
    const std::vector<EngineProgress> shown = std::exchange(shown_, {});
    const bool clearing = clearing_;
    const bool over = over_;
    lock.unlock();
    if (!facts.empty()) erase();
    for (const std::string& fact : facts) std::fprintf(stderr, "rtbench: %s\n", fact.c_str());
    if (dropped != 0) std::fprintf(stderr, "rtbench: and %zu lines more\n", dropped);
    for (const EngineProgress& progress : shown) draw(progress);
    if (clearing || over) erase();
    std::fflush(stderr);
    lock.lock();
    if (clearing) {
      clearing_ = false;
      changed_.notify_all();
    }
    if (over) return;
  }
}

void ProgressLine::draw(const EngineProgress& progress) {
  if (style_ == Style::json) {
    std::fprintf(stderr, "%s\n", json_line(progress).c_str());
    return;
  }
  if (style_ == Style::plain) {
    if (progress.elapsed_s < next_plain_s_) return;
    next_plain_s_ = progress.elapsed_s + kPlainEvery_s - 0.5;
    std::fprintf(stderr, "%s\n", live_line(progress).c_str());
    return;
  }
  history_.push_back(progress.second);
  if (history_.size() > kHistoryMax) history_.erase(history_.begin());
  erase();
  const bool colour = std::getenv("NO_COLOR") == nullptr;
  for (const std::string& line : live_screen(progress, history_, columns(), colour)) {
    std::fprintf(stderr, "%s\033[K\n", line.c_str());
    ++lines_;
  }
}

void ProgressLine::erase() {
  if (lines_ != 0) std::fprintf(stderr, "\033[%zuA\r\033[J", lines_);
  lines_ = 0;
}

}  // namespace rt::rtbench

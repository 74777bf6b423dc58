#include "rtbench/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/units.h"

namespace rt::rtbench {
namespace {

constexpr double kPlainEvery_s = 10;

bool is_live_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) != 0 && term != nullptr && std::string_view(term) != "dumb";
}

std::string line_of(const EngineProgress& progress) {
  const SecondSample& s = progress.second;
  std::string line =
      fmt::format("{:>5.0f}s  {:<6}  streams {}/{}", progress.elapsed_s, progress.phase,
                  format_count(s.connections), format_count(progress.asked));
  if (progress.gave_up != 0) line += fmt::format(" ({} gave up)", format_count(progress.gave_up));
  if (s.offered != 0 || s.received != 0) {
    line += fmt::format("  sent {}/s  received {}/s", s.sent, s.received);
  }
  if (s.received != 0) {
    line += fmt::format("  p50 {:.2f}  p95 {:.2f} ms", s.p50_us / 1'000, s.p95_us / 1'000);
  }
  if (progress.phase_left_s > 0) line += fmt::format("  {:.0f} s left", progress.phase_left_s);
  return line;
}

}  // namespace

Result<ProgressLine::Style> ProgressLine::parse(const std::string& word) {
  if (word == "auto") return Style::automatic;
  if (word == "tty") return Style::tty;
  if (word == "plain") return Style::plain;
  if (word == "none") return Style::none;
  return fail(Code::usage, fmt::format("--progress {}: expected auto, tty, plain or none", word));
}

ProgressLine::ProgressLine(Style style) : style_(style) {
  if (style_ == Style::automatic) style_ = is_live_terminal() ? Style::tty : Style::plain;
}

void ProgressLine::show(const EngineProgress& progress) {
  if (style_ == Style::none) return;
  if (style_ == Style::tty) {
    std::fprintf(stderr, "\r\033[K%s", line_of(progress).c_str());
    std::fflush(stderr);
    open_ = true;
    return;
  }
  if (progress.elapsed_s < next_plain_s_) return;
  next_plain_s_ = progress.elapsed_s + kPlainEvery_s - 0.5;
  std::fprintf(stderr, "%s\n", line_of(progress).c_str());
}

void ProgressLine::say(std::string_view text) {
  clear();
  if (style_ == Style::none) return;
  std::fprintf(stderr, "rtbench: %.*s\n", static_cast<int>(text.size()), text.data());
}

void ProgressLine::clear() {
  if (open_) std::fputs("\r\033[K", stderr);
  open_ = false;
}

}  // namespace rt::rtbench

#include "rtreplay/play_progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/units.h"
#include "cli/terminal.h"

namespace rt::rtreplay {

std::string progress_text(std::int64_t played_us, std::int64_t span_us, double speed,
                          std::uint64_t rows, Duration late_p99) {
  const std::int64_t played = std::clamp<std::int64_t>(played_us, 0, span_us);
  std::string text = fmt::format("{:.1f} s of {:.1f} s, {} rows", static_cast<double>(played) / 1e6,
                                 static_cast<double>(span_us) / 1e6, format_count(rows));
  if (speed == kMaxSpeed) return text;
  return text + fmt::format(", late p99 {}, {:.1f} s left", format_duration(late_p99),
                            static_cast<double>(span_us - played) / 1e6 / speed);
}

PlayProgress::PlayProgress(const ArchiveSpan& recording, double speed, bool quiet)
    : recording_(recording), speed_(speed), live_(!quiet && cli::is_live_terminal(STDERR_FILENO)) {}

void PlayProgress::show(const ArchiveSource& source, Instant now) {
  constexpr Duration kEvery = std::chrono::seconds(1);
  if (!live_ || now - shown_ < kEvery) return;
  shown_ = now;
  on_screen_ = true;
  const auto& progress = source.progress();
  std::fprintf(stderr, "\r%s\033[K",
               progress_text(progress.t_us.load() - recording_.first_us, recording_.us(), speed_,
                             progress.rows.load(), source.pacer().lateness().quantile(0.99))
                   .c_str());
}

void PlayProgress::clear() {
  if (on_screen_) std::fprintf(stderr, "\r\033[K");
  on_screen_ = false;
}

}  // namespace rt::rtreplay

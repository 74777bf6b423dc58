#include "rtctl/status_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>

#include "base/units.h"
#include "cli/terminal.h"

namespace rt::rtctl {
namespace {

constexpr const char* kErase = "\r\x1b[K";

const char* link_text(LinkState link) {
  switch (link) {
    case LinkState::connected:
      return "connected";
    case LinkState::waiting:
      return "not connected";
    case LinkState::connecting:
      break;
  }
  return "connecting";
}

}  // namespace

std::string status_text(const Status& status, std::size_t columns) {
  std::string text = fmt::format("{}  {} {}", link_text(status.link), format_count(status.events),
                                 status.events == 1 ? "event" : "events");
  if (status.events > 0) text += fmt::format("  {:.1f}/s", status.events_per_s);
  if (status.silent && *status.silent >= std::chrono::seconds(2)) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(*status.silent);
    text += fmt::format("  last {} ago", format_duration(whole));
  }
  text.resize(std::min(text.size(), columns > 0 ? columns - 1 : 0));
  return text;
}

StatusLine::StatusLine(bool shown) : shown_(shown) {
  if (shown_) thread_ = std::thread([this] { redraw_each_second(); });
}

StatusLine::~StatusLine() {
  if (!shown_) return;
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  ended_.notify_one();
  thread_.join();
  erase();
}

void StatusLine::erase() {
  if (!shown_) return;
  const std::lock_guard lock(mutex_);
  if (!drawn_) return;
  std::fputs(kErase, stderr);
  std::fflush(stderr);
  drawn_ = false;
}

void StatusLine::draw() {
  if (!shown_) return;
  const std::lock_guard lock(mutex_);
  draw_locked();
}

void StatusLine::set_link(LinkState link) {
  const std::lock_guard lock(mutex_);
  link_ = link;
}

void StatusLine::count_event() {
  if (!shown_) return;
  const std::lock_guard lock(mutex_);
  ++events_;
  ++per_second_[second_ % kSeconds];
  last_event_ = clock_.now();
}

Status StatusLine::status_now() const {
  const std::size_t seconds = std::clamp<std::size_t>(second_ + 1, 1, kSeconds);
  const auto sum =
      std::accumulate(std::begin(per_second_), std::end(per_second_), std::uint64_t{0});
  Status status{link_, events_, static_cast<double>(sum) / static_cast<double>(seconds), {}};
  if (last_event_) status.silent = clock_.now() - *last_event_;
  return status;
}

void StatusLine::draw_locked() {
  const std::string text = status_text(status_now(), cli::terminal_columns(2));
  std::fprintf(stderr, "%s\x1b[2m%s\x1b[0m", kErase, text.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void StatusLine::redraw_each_second() {
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, std::chrono::seconds(1), [this] { return end_; })) {
    ++second_;
    per_second_[second_ % kSeconds] = 0;
    if (drawn_) draw_locked();  // not while somebody prints
  }
}

}  // namespace rt::rtctl

#include "pipe/play_control.h"

namespace rt {

bool PlayControl::ask(PlayCommand command) {
  const std::lock_guard lock(mutex_);
  if (commands_.size() >= kCommandsMax) return false;
  commands_.push_back(std::move(command));
  pending_.store(true, std::memory_order_release);
  asked_.notify_all();
  return true;
}

std::optional<PlayCommand> PlayControl::take() {
  const std::lock_guard lock(mutex_);
  if (commands_.empty()) return std::nullopt;
  PlayCommand command = std::move(commands_.front());
  commands_.pop_front();
  pending_.store(!commands_.empty(), std::memory_order_release);
  return command;
}

void PlayControl::wait(const std::stop_token& stop, Instant until) {
  std::unique_lock lock(mutex_);
  const auto asked = [this] { return !commands_.empty(); };
  if (until == Instant::max()) {
    asked_.wait(lock, stop, asked);
  } else {
    asked_.wait_until(lock, stop, until, asked);
  }
}

PlayState PlayControl::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void PlayControl::tell(const PlayState& state) {
  const std::lock_guard lock(mutex_);
  state_ = state;
}

void PlayControl::say(std::string line) {
  const std::lock_guard lock(mutex_);
  if (said_.size() >= kLinesMax) said_.pop_front();
  said_.push_back(std::move(line));
}

std::vector<std::string> PlayControl::take_said() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> lines(said_.begin(), said_.end());
  said_.clear();
  return lines;
}

}  // namespace rt

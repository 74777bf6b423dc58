// What somebody at a keyboard asks of a replay under way, and what it answers. Thread-safe: one
// side asks and looks, the other, the thread of the replay, takes and tells.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/position.h"
#include "pipe/archive_bound.h"

namespace rt {

struct PlayCommand {
  enum class Kind : std::uint8_t {
    pause_or_resume,
    pause,
    resume,
    step,      // one transaction, or one event outside of any; then pause
    step_row,  // one row; then pause
    faster,
    slower,
    normal_speed,
    seek,  // forward, to `to`
    quit,
  };
  Kind kind = Kind::pause_or_resume;
  Instant at{};  // when it was asked for
  std::optional<ArchiveBound> to{};
};

// What a person is shown.
struct PlayState {
  bool paused = false;
  bool hurrying = false;  // on the way to where a seek leads
  double speed = 1;
  Position position{};    // of what was played last
  std::int64_t t_us = 0;  // .. and when it was recorded, Unix us
  std::uint64_t rows = 0;
  Duration late_p99{0};
};

class PlayControl {
 public:
  // Any thread. What is asked for beyond kCommandsMax is not taken: false.
  bool ask(PlayCommand command);
  PlayState state() const;
  // Lines for the person, since the last call.
  std::vector<std::string> take_said();

  // The thread of the replay.
  bool pending() const { return pending_.load(std::memory_order_acquire); }
  std::optional<PlayCommand> take();
  // Until something is asked for, a stop is requested, or it is `until` (Instant::max(): never).
  void wait(const std::stop_token& stop, Instant until);
  void tell(const PlayState& state);
  void say(std::string line);

 private:
  // Nobody presses more keys than this while one transaction is sent; and nobody reads more lines.
  static constexpr std::size_t kCommandsMax = 64;
  static constexpr std::size_t kLinesMax = 64;

  mutable std::mutex mutex_;
  std::condition_variable_any asked_;
  std::atomic<bool> pending_{false};
  std::deque<PlayCommand> commands_;
  std::deque<std::string> said_;
  PlayState state_{};
};

}  // namespace rt

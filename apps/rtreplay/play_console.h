// Steering a replay from the keyboard: a thread that reads keys, passes them on as commands, and
// shows one line that says where the replay is. Only where standard input is a terminal.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "cli/key_terminal.h"
#include "io/wakeup.h"
#include "pipe/archive_span.h"
#include "pipe/play_control.h"
#include "rtreplay/play_keys.h"

namespace rt::rtreplay {

// "playing 2x | 12.0 of 60.0 s, 24.0 s left | late p99 310us | ? keys | 000..-..": as much as fits
// into `columns`, what matters most first. Pure.
std::string status_text(const PlayState& state, const ArchiveSpan& recording, std::size_t columns);

class PlayConsole {
 public:
  // Null if standard input is no terminal. Before other threads start. The clock must outlive it.
  static Result<std::unique_ptr<PlayConsole>> open(const Clock& clock);
  // Restores the terminal.
  ~PlayConsole();
  PlayConsole(const PlayConsole&) = delete;
  PlayConsole& operator=(const PlayConsole&) = delete;

  // To be given to the source; lives as long as the console.
  PlayControl& control() { return control_; }
  // Begins to listen and to show.
  void start(const ArchiveSpan& recording);
  // The line is taken away while one prints; it comes back with the next look.
  std::unique_lock<std::mutex> quiet();
  // Ends the thread: nothing is shown any more.
  void stop();

 private:
  PlayConsole(const Clock& clock, std::unique_ptr<cli::KeyTerminal> terminal, io::Wakeup bell);
  void run();
  void take_keys();
  void fulfil(PlayKeys::Wish wish);
  void hold();
  void draw();
  void clear();
  void print(const std::string& line);

  const Clock& clock_;
  std::unique_ptr<cli::KeyTerminal> terminal_;
  io::Wakeup bell_;  // ends the thread
  bool live_;        // standard error is a terminal on which lines can be redrawn
  PlayControl control_;
  PlayKeys keys_;
  ArchiveSpan recording_;
  std::mutex screen_;
  bool on_screen_ = false;
  std::string shown_;
  std::atomic<bool> finished_{false};
  std::thread thread_;
};

}  // namespace rt::rtreplay

// How a run under way is shown, on standard error: a small screen that is drawn over once a second
// on a terminal, a line every ten seconds elsewhere, or a JSON object a second. A thread of its own
// writes, so that a slow terminal never holds up the run; show() and say() only hand over.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "load/engine.h"

namespace rt::rtbench {

class ProgressLine {
 public:
  enum class Style { automatic, tty, plain, json, none };
  static Result<Style> parse(const std::string& word);

  explicit ProgressLine(Style style);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const EngineProgress& progress);
  // A fact on a line of its own.
  void say(std::string_view text);
  // Waits until all that was handed over is written, and nothing of the screen is left.
  void clear();

 private:
  // A person reads no more than that; of what comes faster, the rest is dropped and counted.
  static constexpr std::size_t kFactsMax = 1'000;

  void write_all();
  void draw(const EngineProgress& progress);
  void erase();

  Style style_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> facts_;
  std::size_t facts_dropped_ = 0;
  std::vector<EngineProgress> shown_;  // at most one, or all of them for JSON
  bool clearing_ = false;
  bool over_ = false;

  // The writing thread's.
  std::vector<SecondSample> history_;
  std::size_t lines_ = 0;  // of the screen, now on the terminal
  double next_plain_s_ = 0;
  std::thread writer_;
};

}  // namespace rt::rtbench

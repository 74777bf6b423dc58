// One line about a run under way, on standard error: rewritten each second on a terminal, a plain
// line every ten seconds elsewhere. One thread.
#pragma once

#include <string>

#include "base/result.h"
#include "load/engine.h"

namespace rt::rtbench {

class ProgressLine {
 public:
  enum class Style { automatic, tty, plain, none };
  static Result<Style> parse(const std::string& word);

  explicit ProgressLine(Style style);
  ~ProgressLine() { clear(); }

  void show(const EngineProgress& progress);
  // A fact on a line of its own.
  void say(std::string_view text);
  // Nothing of the rewritten line is left.
  void clear();

 private:
  Style style_;
  bool open_ = false;
  double next_plain_s_ = 0;
};

}  // namespace rt::rtbench

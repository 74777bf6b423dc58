// A block of lines on a terminal that is drawn over itself, below what was printed before: no
// second screen, so that the last drawing stays. Hides the cursor and reads keys meanwhile; the
// terminal is as it was when the object is gone. One thread.
#pragma once

#include <termios.h>

#include <optional>
#include <string>
#include <vector>

namespace rt::rtctl {

class LiveScreen {
 public:
  // output: the terminal's descriptor. input: where keys come from, if that is a terminal.
  LiveScreen(int output, int input);
  ~LiveScreen();
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  // Lines no wider and not more than the terminal. False when it cannot be written to.
  bool draw(const std::vector<std::string>& lines);
  // -1: there are no keys.
  int key_fd() const { return saved_ ? input_ : -1; }
  // A key that was pressed; 0: none, or the input ended.
  char take_key();

 private:
  bool write(const std::string& text) const;

  int output_;
  int input_;
  std::optional<termios> saved_;
  std::size_t drawn_ = 0;  // lines
};

}  // namespace rt::rtctl

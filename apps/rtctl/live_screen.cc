#include "rtctl/live_screen.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

namespace rt::rtctl {

LiveScreen::LiveScreen(int output, int input) : output_(output), input_(input) {
  termios before{};
  // A process in the background must not touch the terminal's mode: it would be stopped.
  const bool ours = ::tcgetpgrp(input_) == ::getpgrp();
  if (ours && ::tcgetattr(input_, &before) == 0) {
    saved_ = before;
    termios keys = before;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // signals by key stay
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    ::tcsetattr(input_, TCSANOW, &keys);
  }
  write("\x1b[?25l");
}

LiveScreen::~LiveScreen() {
  if (saved_) ::tcsetattr(input_, TCSANOW, &*saved_);
  write("\x1b[?25h");
}

bool LiveScreen::draw(const std::vector<std::string>& lines) {
  std::string text;
  if (drawn_ > 0) text += fmt::format("\x1b[{}A", drawn_);
  for (const std::string& line : lines) text += "\r" + line + "\x1b[K\n";
  text += "\x1b[J";  // what a longer drawing left below
  drawn_ = lines.size();
  return write(text);
}

char LiveScreen::take_key() {
  char key = 0;
  return ::read(input_, &key, 1) == 1 ? key : '\0';
}

bool LiveScreen::write(const std::string& text) const {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(output_, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace rt::rtctl

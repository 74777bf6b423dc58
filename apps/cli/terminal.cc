#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/environment.h"

namespace rt::cli {

bool is_terminal(int fd) {
  return ::isatty(fd) == 1;
}

bool is_live_terminal(int fd) {
  return is_terminal(fd) && first_set({"TERM"}) != "dumb";
}

std::size_t terminal_columns(int fd) {
  constexpr std::size_t kDefault = 100;
  if (const auto asked = parse_decimal(first_set({"COLUMNS"})); asked && *asked > 0) return *asked;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return kDefault;
}

std::size_t terminal_lines(int fd) {
  constexpr std::size_t kDefault = 24;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0) return size.ws_row;
  return kDefault;
}

Result<bool> use_colour(const std::string& choice, int fd) {
  if (choice == "always") return true;
  if (choice == "never") return false;
  if (choice != "auto") {
    return fail(Code::usage, fmt::format("colour \"{}\" is none of auto, always, never", choice));
  }
  if (!first_set({"NO_COLOR"}).empty()) return false;
  if (!first_set({"FORCE_COLOR"}).empty()) return true;
  return is_live_terminal(fd);
}

}  // namespace rt::cli

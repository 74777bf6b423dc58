#include "rtreplay/play_keys.h"

#include <algorithm>
#include <optional>

namespace rt::rtreplay {
namespace {

using Kind = PlayCommand::Kind;

constexpr std::string_view kQuestion = "go to (id, LSN or time): ";
// The longest place is a time with an offset, of 32 characters.
constexpr std::size_t kTypedMax = 64;
constexpr char kEscape = '\x1b';
constexpr char kBackspace = '\x7f';
constexpr char kCtrlH = '\b';
constexpr char kCtrlU = '\x15';

std::optional<Kind> command_of(char key) {
  switch (key) {
    case ' ':
      return Kind::pause_or_resume;
    case 's':
    case '.':
      return Kind::step;
    case 'r':
      return Kind::step_row;
    case '+':
    case '=':
      return Kind::faster;
    case '-':
    case '<':
      return Kind::slower;
    case '1':
      return Kind::normal_speed;
    case 'q':
      return Kind::quit;
    default:
      return std::nullopt;
  }
}

// The final byte of an arrow's sequence (ECMA-48, CSI).
std::optional<Kind> command_of_arrow(char final) {
  switch (final) {
    case 'A':
      return Kind::faster;
    case 'B':
      return Kind::slower;
    case 'C':
      return Kind::step;
    default:
      return std::nullopt;
  }
}

// Bytes of the sequence that `keys` begins with, which is an escape; 1 if it is the key alone.
std::size_t sequence_size(std::string_view keys) {
  if (keys.size() < 2 || (keys[1] != '[' && keys[1] != 'O')) return 1;
  std::size_t size = 2;
  while (size < keys.size() && (keys[size] < '@' || keys[size] > '~')) ++size;
  return std::min(size + 1, keys.size());
}

}  // namespace

const std::vector<std::string>& PlayKeys::help() {
  static const std::vector<std::string> kLines = {
      "space  pause, go on",
      "s .    play one transaction (or event), then pause",
      "r      play one row, then pause (stdout, null, messages)",
      "+ -    twice as fast, half as fast; 1 as recorded",
      "g      go forward to an id, an LSN or a time",
      "q      end here",
      "?      this",
  };
  return kLines;
}

std::vector<PlayKeys::Wish> PlayKeys::take(std::string_view keys, Instant now) {
  std::vector<Wish> wishes;
  while (!keys.empty()) {
    const std::size_t size = keys.front() == kEscape ? sequence_size(keys) : 1;
    if (size > 1) {
      const auto command = command_of_arrow(keys[size - 1]);
      if (command && typed_.empty())
        wishes.push_back({Wish::Kind::command, {*command, now, {}}, {}});
    } else if (typed_.empty()) {
      press(keys.front(), now, wishes);
    } else {
      type(keys.front(), now, wishes);
    }
    keys.remove_prefix(size);
  }
  return wishes;
}

void PlayKeys::press(char key, Instant now, std::vector<Wish>& wishes) {
  if (key == 'g') {
    typed_ = kQuestion;
  } else if (key == '?' || key == 'h') {
    wishes.push_back({Wish::Kind::help, {}, {}});
  } else if (const auto command = command_of(key)) {
    wishes.push_back({Wish::Kind::command, {*command, now, {}}, {}});
  }
}

void PlayKeys::type(char key, Instant now, std::vector<Wish>& wishes) {
  if (key == '\n' || key == '\r') return finish(now, wishes);
  if (key == kEscape) {
    typed_.clear();
  } else if (key == kCtrlU) {
    typed_ = kQuestion;
  } else if (key == kBackspace || key == kCtrlH) {
    if (typed_.size() > kQuestion.size()) typed_.pop_back();
  } else if (key >= ' ' && key <= '~' && typed_.size() < kQuestion.size() + kTypedMax) {
    typed_ += key;
  }
}

void PlayKeys::finish(Instant now, std::vector<Wish>& wishes) {
  const std::string place = typed_.substr(kQuestion.size());
  typed_.clear();
  if (place.empty()) return;
  const auto bound = ArchiveBound::parse(place);
  if (bound) {
    wishes.push_back({Wish::Kind::command, {Kind::seek, now, *bound}, {}});
  } else {
    wishes.push_back({Wish::Kind::unclear, {}, bound.error().text});
  }
}

}  // namespace rt::rtreplay

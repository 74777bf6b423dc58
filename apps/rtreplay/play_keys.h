// What keys mean while a recording is played. Pure: bytes of a terminal in, commands out. One
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "pipe/play_control.h"

namespace rt::rtreplay {

class PlayKeys {
 public:
  // One line a key, for a person.
  static const std::vector<std::string>& help();

  struct Wish {
    enum class Kind : std::uint8_t {
      command,
      help,
      unclear,  // a place was typed that is none: `text` says so
    };
    Kind kind = Kind::command;
    PlayCommand command{};
    std::string text{};
  };
  // What was pressed at `now`. A key without a meaning is ignored.
  std::vector<Wish> take(std::string_view keys, Instant now);

  // What is being typed, "go to: 1/4D7E"; empty if nothing is.
  const std::string& typed() const { return typed_; }

 private:
  void press(char key, Instant now, std::vector<Wish>& wishes);
  void type(char key, Instant now, std::vector<Wish>& wishes);
  void finish(Instant now, std::vector<Wish>& wishes);

  std::string typed_;  // with the question in front
};

}  // namespace rt::rtreplay

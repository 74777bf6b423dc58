// How a transport spells an event: a text with {topic}, {payload} and {shard} in it. {shard} is the
// topic's among ssepg's NOTIFY channels. Compiled once; expanding allocates nothing once the buffer
// is large enough. Immutable: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/placeholders.h"

namespace rt {

class EventText {
 public:
  enum class Spelling : std::uint8_t {
    plain,  // a topic as it is: channels
    json,   // inside a JSON string
    path,   // percent-encoded
  };

  EventText() = default;
  EventText(std::string_view text, Spelling spelling);

  // The payload is a JSON value and taken as it is.
  void append(std::string& out, std::string_view topic, std::string_view payload) const;
  bool has_payload() const;

 private:
  void append_topic(std::string& out, std::string_view topic) const;

  std::vector<TextPiece> pieces_;
  Spelling spelling_ = Spelling::plain;
};

}  // namespace rt

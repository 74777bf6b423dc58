#include "load/fault_frames.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace rt {
namespace {

constexpr std::size_t kNone = std::string::npos;

bool mentions_chunked(std::string_view head) {
  for (std::string_view line : split(head, '\n')) {
    line = trim(line);
    const std::size_t colon = line.find(':');
    if (colon == kNone || !equal_ignoring_case(line.substr(0, colon), "transfer-encoding"))
      continue;
    if (equal_ignoring_case(trim(line.substr(colon + 1)), "chunked")) return true;
  }
  return false;
}

}  // namespace

// The length of the whole unit at the front of held_, kNone while it is not there.
std::size_t FaultFrames::end_of_unit() {
  switch (state_) {
    case State::head:
      return end_of_head();
    case State::chunks:
      return end_of_chunk();
    case State::blocks: {
      const std::size_t blank = held_.find("\n\n");
      return blank == kNone ? kNone : blank + 2;
    }
    case State::opaque:
      return held_.empty() ? kNone : held_.size();
  }
  return kNone;
}

std::size_t FaultFrames::end_of_head() {
  const std::size_t blank = held_.find("\r\n\r\n");
  if (blank == kNone) return kNone;
  state_ =
      mentions_chunked(std::string_view(held_).substr(0, blank)) ? State::chunks : State::blocks;
  return blank + 4;
}

// RFC 9112 section 7.1: size in hex, CR LF, data, CR LF.
std::size_t FaultFrames::end_of_chunk() const {
  const std::size_t line = held_.find("\r\n");
  if (line == kNone) return kNone;
  const std::string_view digits =
      std::string_view(held_).substr(0, std::min(line, held_.find(';')));
  const auto size = parse_hex(trim(digits));
  if (!size || *size > kUnitMax) return held_.size();
  const std::size_t end = line + 2 + static_cast<std::size_t>(*size) + 2;
  return held_.size() < end ? kNone : end;
}

void FaultFrames::take(std::string_view bytes, const Unit& unit) {
  held_.append(bytes);
  for (std::size_t end = 0; (end = end_of_unit()) != kNone;) {
    const std::string whole = held_.substr(0, end);
    held_.erase(0, end);
    unit(whole, whole.find("data:") != kNone);
  }
  if (held_.size() <= kUnitMax) return;
  state_ = State::opaque;
  unit(std::exchange(held_, {}), false);
}

}  // namespace rt

#include "proto/chunked.h"

#include <algorithm>

namespace rt::http1 {
namespace {

// Extensions, trailers and padding are metadata nobody reads here; common servers allow 8 to 16 KiB
// of it in a body. A stream has no end, so each byte of its payload makes good for one of them.
constexpr std::uint16_t kSkippedMax = 16 << 10;
// A chunk beyond 2^60 bytes is an attack on a reader's arithmetic.
constexpr std::uint64_t kChunkSizeMax = std::uint64_t{1} << 60;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

}  // namespace

ChunkedDecoder::Status ChunkedDecoder::next(std::string_view& bytes, std::string_view& payload) {
  while (state_ != State::done && state_ != State::bad) {
    if (bytes.empty()) return Status::need_more;
    if (state_ == State::data) {
      payload = bytes.substr(0, std::min<std::uint64_t>(left_, bytes.size()));
      bytes.remove_prefix(payload.size());
      left_ -= payload.size();
      skipped_ -= static_cast<std::uint16_t>(std::min<std::size_t>(skipped_, payload.size()));
      if (left_ == 0) state_ = State::data_cr;
      return Status::payload;
    }
    state_ = after_byte(bytes.front());
    bytes.remove_prefix(1);
  }
  return state_ == State::done ? Status::done : Status::bad;
}

ChunkedDecoder::State ChunkedDecoder::after_byte(char c) {
  switch (state_) {
    case State::size_first:
    case State::size:
    case State::padding:
      return after_size(c);
    case State::extension:
      return skip(State::extension, State::size_lf, c);
    case State::size_lf:
      if (c != '\n') return State::bad;
      return left_ == 0 ? State::trailer_first : State::data;
    case State::data_cr:
      return c == '\r' ? State::data_lf : State::bad;
    case State::data_lf:
      return c == '\n' ? State::size_first : State::bad;
    case State::trailer_first:
      if (c == '\r') return State::end_lf;
      return is_blank(c) ? State::bad : skip(State::trailer, State::trailer_lf, c);
    case State::trailer:
      return skip(State::trailer, State::trailer_lf, c);
    case State::trailer_lf:
      return c == '\n' ? State::trailer_first : State::bad;
    case State::end_lf:
      return c == '\n' ? State::done : State::bad;
    case State::data:
    case State::done:
    case State::bad:
      break;
  }
  return State::bad;
}

ChunkedDecoder::State ChunkedDecoder::after_size(char c) {
  const int digit = state_ == State::padding ? -1 : hex_digit(c);
  if (digit >= 0) {
    if (left_ >= kChunkSizeMax >> 4) return State::bad;
    if (left_ == 0 && digit == 0 && ++skipped_ > kSkippedMax) return State::bad;
    left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
    return State::size;
  }
  if (state_ == State::size_first) return State::bad;
  if (c == '\r') return State::size_lf;
  if (c == ';') return State::extension;
  return is_blank(c) ? skip(State::padding, State::bad, c) : State::bad;
}

// One byte that means nothing to us; CR ends it, a bare LF or another control is refused.
ChunkedDecoder::State ChunkedDecoder::skip(State here, State at_cr, char c) {
  if (c == '\r') return at_cr;
  const auto byte = static_cast<unsigned char>(c);
  if ((byte < 0x20 && c != '\t') || byte == 0x7F) return State::bad;
  return ++skipped_ > kSkippedMax ? State::bad : here;
}

}  // namespace rt::http1

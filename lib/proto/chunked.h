// Decoder of the chunked transfer coding (RFC 9112 section 7.1), incremental, 16 bytes of state.
// Sans-IO: hands out views into the caller's bytes and keeps none of them. Chunk borders mean
// nothing to the payload. Strict: anything the grammar does not allow is bad, because a reader that
// guesses where a body ends can be made to disagree with the proxy before it. One thread at a time.
#pragma once

#include <cstdint>
#include <string_view>

namespace rt::http1 {

class ChunkedDecoder {
 public:
  enum class Status : std::uint8_t {
    need_more,  // all bytes are consumed
    payload,    // `payload` is the next piece of the body, not empty
    done,       // last chunk and trailers are read; what is left of `bytes` is the next message
    bad,        // not chunked coding; stays bad
  };

  // Takes from the head of `bytes`, which is advanced. Call until it is not `payload`.
  Status next(std::string_view& bytes, std::string_view& payload);

  bool done() const { return state_ == State::done; }
  void reset() { *this = ChunkedDecoder(); }

 private:
  enum class State : std::uint8_t {
    size_first,  // at least one digit must come
    size,
    padding,    // blanks after the size, which some servers write
    extension,  // skipped
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_first,  // at the start of a trailer line, or of the final CR LF
    trailer,
    trailer_lf,
    end_lf,
    done,
    bad,
  };
  State after_byte(char c);
  State after_size(char c);
  State skip(State here, State at_cr, char c);

  std::uint64_t left_ = 0;     // digits read so far as a number, then bytes of this chunk to come
  std::uint16_t skipped_ = 0;  // of extensions and trailers, in bytes: bounded by kSkippedMax
  State state_ = State::size_first;
};

static_assert(sizeof(ChunkedDecoder) <= 16, "part of each connection of the load engine");

}  // namespace rt::http1

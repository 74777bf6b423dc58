// Cuts what a server sends on an event stream into units: the response head, then each chunk (or,
// without chunked coding, each block of lines that ends in a blank one). The proxy that repeats or
// cuts events needs to know where one ends. Sans-IO: one connection, one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace rt {

class FaultFrames {
 public:
  // Takes bytes; `unit` gets each whole one, and whether it holds an event.
  using Unit = std::function<void(std::string_view bytes, bool has_event)>;
  void take(std::string_view bytes, const Unit& unit);
  // What is not whole yet.
  std::string rest() { return std::exchange(held_, {}); }

 private:
  enum class State : std::uint8_t { head, chunks, blocks, opaque };
  // Beyond this it is no event stream, and passes as it comes.
  static constexpr std::size_t kUnitMax = 4u << 20;

  std::size_t end_of_unit();
  std::size_t end_of_head();
  std::size_t end_of_chunk() const;

  State state_ = State::head;
  std::string held_;
};

}  // namespace rt

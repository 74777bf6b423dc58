// What tests of slow clients share: events that are told apart, do not compress, and fill the
// kernel's buffers soon; and what those who do not read are told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rt::test {

// The others, and those that do not read: a thousand.
constexpr std::size_t kFast = 900;
constexpr std::size_t kStalled = 100;
// A stalled client's own limit, and what the kernel holds at both ends: about 200 KiB was seen.
constexpr std::size_t kOwedMax = 1'000'000;
// More than enough for each of them to be too slow.
constexpr std::size_t kEventsMax = 600;
inline const std::string kTooSlow =
    ": closed: too slow, more than the allowed backlog was unsent\n\n";

// Text that does not get smaller when compressed, the same for the same n.
inline std::string padding(std::size_t n) {
  std::uint64_t state = n + 1;
  std::string text;
  for (int i = 0; i < 7'000; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    text += static_cast<char>('0' + (state >> 40) % 75);
    if (text.back() == '\\') text.back() = '-';
  }
  return text;
}

// The data of event n, and by what it is known in a stream.
inline std::string data_of(std::size_t n) {
  return "{\"n\":" + std::to_string(n) + ",\"p\":\"" + padding(n) + "\"}";
}
inline std::string mark(std::size_t n) {
  return "\"n\":" + std::to_string(n) + ",";
}

// Of the events in a stream, in its order.
inline std::vector<std::size_t> numbers_in(const std::string& text) {
  std::vector<std::size_t> numbers;
  for (std::size_t at = text.find("\"n\":"); at != std::string::npos;
       at = text.find("\"n\":", at + 1))
    numbers.push_back(std::stoul(text.substr(at + 4, 9)));
  return numbers;
}

}  // namespace rt::test

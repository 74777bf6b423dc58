// How a subscriber knows, from an event alone, that its payload is what was published. A payload
// whose content is checked has 16 hexadecimal digits in it:
//
//   {"at":..,"run":..,"seq":..,"step":..,"sums":"<8 digits><8 digits>","tail":"xxxx...",
//    "value":<any>}
//
// The first eight are of the numbers, so that they can be trusted when something else is not as it
// was; the others of the characters of "tail" and of what "value" says, however that is spelled
// (json_sum.h). Each misses one change in four thousand million. Allocates nothing. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "load/payload.h"

namespace rt {

inline constexpr std::size_t kSumsDigits = 16;

// Writes the digits of a payload. value: JSON; empty: it has none.
void write_sums(char* out, const Payload& payload, std::string_view tail, std::string_view value);

enum class Content : std::uint8_t {
  intact,
  altered,    // but its numbers are as they were: it is known which event this was
  mistaken,   // its numbers are not
  unchecked,  // it has nothing to check it by
};
// rest: what follows the numbers, as find_payload() has it.
Content check_content(const Payload& payload, std::string_view rest);
// Whether the text has something in it to check a payload by, though none may be found.
bool has_sums(std::string_view text);

}  // namespace rt

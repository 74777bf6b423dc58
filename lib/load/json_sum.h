// A hash of what a JSON value says, however it is spelled: blanks, the order of an object's
// members, how characters are escaped, and 1.0 or 10e-1 for 1 make no difference. Streams re-encode
// JSON, and what they must not do is change it. Allocates nothing. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace rt {

// Of the value at the head of `text`, which is taken off; blanks before it, too. Nothing when there
// is no JSON value, or one that is nested more than 64 deep.
std::optional<std::uint64_t> take_json_sum(std::string_view& text);

}  // namespace rt

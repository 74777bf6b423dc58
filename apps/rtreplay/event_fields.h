// What an event says, as a set of hashes: two spellings of the same JSON object are equal, and a
// part of an object can be found in the whole. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

namespace rt::rtreplay {

struct EventField {
  std::uint64_t name = 0;   // XXH3-64 of the member's name
  std::uint64_t value = 0;  // of its value
  friend auto operator<=>(const EventField&, const EventField&) = default;
};
using EventFields = std::vector<EventField>;  // sorted

// The members of a JSON object; anything else is one field. `name` and `topic` are fields too,
// unless empty.
EventFields event_fields(std::string_view name, std::string_view topic, std::string_view data);
// The field that event_fields() makes of a name.
std::uint64_t field_name(std::string_view member);
std::uint64_t event_name_field();

// Every field of `part` that `whole` knows has the value it has there.
bool agrees(const EventFields& part, const EventFields& whole);
// One number for all of them.
std::uint64_t hash_of(const EventFields& fields);

}  // namespace rt::rtreplay

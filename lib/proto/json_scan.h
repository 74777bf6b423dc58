// Finding the way through the text of a JSON document without reading its values, so that key
// order, number spelling and escapes stay what was sent. Everything but is_json() and
// is_json_object() takes valid JSON only. Sans-IO, no state: thread-safe. Source: RFC 8259.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rt {

bool is_json(std::string_view text);

// The members of an object, as they stand in the text: the name with its quotes.
struct JsonMember {
  std::string_view name;
  std::string_view value;
};
std::vector<JsonMember> json_members(std::string_view object);

// The value of the last member of that name, whatever the name's case, as Go's encoding/json reads
// objects into structs.
std::optional<std::string_view> json_member_as_go(std::string_view object, std::string_view name);

// What a JSON string says, its escapes resolved. Nothing if it is no string, or cannot be said.
std::optional<std::string> json_string(std::string_view value);

// Whether the text is JSON, and an object.
bool is_json_object(std::string_view text);

namespace json_scan {

bool is_space(char c);
std::size_t skip_space(std::string_view json, std::size_t at);
// The end of the string, the number or word, or the value of any kind, that starts at `at`.
std::size_t string_end(std::string_view json, std::size_t at);
std::size_t scalar_end(std::string_view json, std::size_t at);
std::size_t value_end(std::string_view json, std::size_t at);

}  // namespace json_scan
}  // namespace rt

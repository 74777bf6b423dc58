#include "proto/json_scan.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace rt {
namespace json_scan {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::size_t string_end(std::string_view json, std::size_t at) {
  for (++at; json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at + 1;
}

std::size_t scalar_end(std::string_view json, std::size_t at) {
  while (at < json.size() && !is_space(json[at]) && json[at] != ',' && json[at] != ']' &&
         json[at] != '}') {
    ++at;
  }
  return at;
}

std::size_t skip_space(std::string_view json, std::size_t at) {
  while (at < json.size() && is_space(json[at])) ++at;
  return at;
}

std::size_t value_end(std::string_view json, std::size_t at) {
  std::size_t depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = string_end(json, at);
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at;
    } else if (c == '}' || c == ']') {
      --depth;
      ++at;
    } else if (is_space(c) || c == ',' || c == ':') {
      ++at;
      continue;
    } else {
      at = scalar_end(json, at);
    }
    if (depth == 0) break;
  }
  return at;
}

}  // namespace json_scan

bool is_json(std::string_view text) {
  return nlohmann::json::accept(text.begin(), text.end());
}

std::vector<JsonMember> json_members(std::string_view object) {
  using namespace json_scan;
  std::vector<JsonMember> members;
  std::size_t at = skip_space(object, skip_space(object, 0) + 1);
  while (object[at] != '}') {
    const std::size_t name_end = string_end(object, at);
    const std::size_t value = skip_space(object, skip_space(object, name_end) + 1);
    const std::size_t end = value_end(object, value);
    members.push_back({object.substr(at, name_end - at), object.substr(value, end - value)});
    at = skip_space(object, end);
    if (object[at] == ',') at = skip_space(object, at + 1);
  }
  return members;
}

std::optional<std::string_view> json_member_as_go(std::string_view object, std::string_view name) {
  std::optional<std::string_view> found;
  for (const JsonMember& each : json_members(object)) {
    const std::string_view bare = each.name.substr(1, each.name.size() - 2);
    if (equal_ignoring_case(bare, name)) found = each.value;
  }
  return found;
}

std::optional<std::string> json_string(std::string_view value) {
  if (value.size() < 2 || value.front() != '"') return std::nullopt;
  if (value.find('\\') == std::string_view::npos) {
    return std::string(value.substr(1, value.size() - 2));
  }
  const auto text = nlohmann::json::parse(value.begin(), value.end(), nullptr, false);
  if (!text.is_string()) return std::nullopt;  // a lone surrogate
  return text.get<std::string>();
}

bool is_json_object(std::string_view text) {
  const std::size_t start = json_scan::skip_space(text, 0);
  return start < text.size() && text[start] == '{' && is_json(text);
}

}  // namespace rt

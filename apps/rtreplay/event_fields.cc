#include "rtreplay/event_fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "archive/frames.h"

namespace rt::rtreplay {
namespace {

using nlohmann::json;

// Seeds that keep an event's name and topic apart from the members of its data.
enum class Part : std::uint64_t { member = 0, name = 1, topic = 2, whole = 3 };

std::uint64_t hash(std::string_view text, Part part) {
  return archive::hash_bytes(text, static_cast<std::uint64_t>(part));
}

}  // namespace

std::uint64_t field_name(std::string_view member) {
  return hash(member, Part::member);
}

std::uint64_t event_name_field() {
  return hash({}, Part::name);
}

EventFields event_fields(std::string_view name, std::string_view topic, std::string_view data) {
  EventFields fields;
  if (!name.empty()) fields.push_back({event_name_field(), hash(name, Part::name)});
  if (!topic.empty()) fields.push_back({hash({}, Part::topic), hash(topic, Part::topic)});
  const json object =
      data.substr(0, 1) == "{" ? json::parse(data, nullptr, /*allow_exceptions=*/false) : json();
  if (object.is_object()) {
    for (const auto& [member, value] : object.items()) {
      const std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
      fields.push_back({field_name(member), hash(text, Part::member)});
    }
  } else {
    fields.push_back({hash({}, Part::whole), hash(data, Part::whole)});
  }
  std::sort(fields.begin(), fields.end());
  return fields;
}

bool agrees(const EventFields& part, const EventFields& whole) {
  return std::all_of(part.begin(), part.end(), [&](const EventField& field) {
    const auto known = std::lower_bound(whole.begin(), whole.end(), EventField{field.name, 0});
    return known == whole.end() || known->name != field.name || known->value == field.value;
  });
}

std::uint64_t hash_of(const EventFields& fields) {
  const auto* bytes = reinterpret_cast<const char*>(fields.data());
  return archive::hash_bytes({bytes, fields.size() * sizeof(EventField)});
}

}  // namespace rt::rtreplay

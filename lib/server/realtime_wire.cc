#include "server/realtime_wire.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/units.h"

namespace rt::server {

std::uint64_t realtime_type_key(std::string_view type) {
  return hash_name(Role::event_type, type).low;
}

// No type is empty, and no user.
std::uint64_t realtime_all_types_key() {
  static const std::uint64_t kKey = realtime_type_key("");
  return kKey;
}

std::uint64_t realtime_everyone_key() {
  static const std::uint64_t kKey = hash_name(Role::user, "").low;
  return kKey;
}

Hash128 realtime_target(std::string_view user) {
  return user.empty() ? Hash128() : hash_name(Role::user, user);
}

std::optional<std::vector<std::uint64_t>> realtime_keys(std::string_view types) {
  std::vector<std::uint64_t> keys{realtime_everyone_key()};
  for (const std::string_view item : split(types, ',')) {
    const std::string_view type = trim(item);
    if (type.empty()) continue;
    if (type == "all") {
      keys.resize(1);
      break;
    }
    const std::uint64_t key = realtime_type_key(type);
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    if (keys.size() > kRealtimeTypesMax + 1) return std::nullopt;
  }
  if (keys.size() == 1) keys.push_back(realtime_all_types_key());
  return keys;
}

std::string realtime_connected_frame(WallTime now) {
  return fmt::format("data: {{\"type\":\"connected\",\"timestamp\":\"{}\"}}\n\n",
                     format_rfc3339_ms(now));
}

std::string realtime_frame(std::string_view json, const std::optional<RedisEntryId>& entry) {
  std::string frame;
  frame.reserve(json.size() + 64);
  if (entry) frame.append("id: ").append(entry->text()).push_back('\n');
  return frame.append("data: ").append(json).append("\n\n");
}

std::string realtime_ping(WallTime now) {
  return fmt::format(": ping {}\n\n", unix_us(now) / 1000);
}

std::string realtime_published_json(std::string_view id) {
  std::string json = "{\"id\":";
  append_json_string(json, id);
  return json.append("}\n");
}

std::string realtime_error_json(std::string_view error) {
  std::string json = "{\"error\":";
  append_json_string(json, error);
  return json.append("}\n");
}

std::string realtime_local_only_json(std::string_view id, std::string_view error) {
  std::string json = "{\"error\":";
  append_json_string(json, error);
  json.append(",\"id\":");
  append_json_string(json, id);
  return json.append(",\"reached\":\"subscribers of this instance only\"}\n");
}

}  // namespace rt::server

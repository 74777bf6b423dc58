#include "rtctl/event_age.h"

#include <array>

#include "base/units.h"
#include "rtctl/json_view.h"

namespace rt::rtctl {

std::optional<double> event_age_ms(std::string_view json, WallTime received) {
  constexpr std::array<std::string_view, 5> kNames = {R"("committed_at")", R"("updated_at")",
                                                      R"("timestamp")", R"("time")", R"("ts")"};
  if (!is_json(json) || json[json.find_first_not_of(" \t\r\n")] != '{') return std::nullopt;
  const std::vector<JsonMember> members = json_members(json);
  for (const std::string_view name : kNames) {
    for (const JsonMember& member : members) {
      if (member.name != name || member.value.size() < 2 || member.value.front() != '"') continue;
      const auto made = parse_rfc3339(member.value.substr(1, member.value.size() - 2));
      if (made) return std::chrono::duration<double, std::milli>(received - *made).count();
    }
  }
  return std::nullopt;
}

}  // namespace rt::rtctl

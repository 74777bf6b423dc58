#include "proto/realtime_event.h"

#include "base/text.h"
#include "base/units.h"
#include "proto/json_compact.h"

namespace rt {
namespace {

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out.append(",\"").append(name).append("\":");
  append_json_string(out, text);
}

}  // namespace

Result<void> append_realtime_event(std::string& out, const RealtimeEvent& event) {
  if (event.type.empty()) {
    return fail(Code::usage, "the event type is empty", "for example task-updated");
  }
  const std::size_t start = out.size();
  out.append("{\"type\":");
  append_json_string(out, event.type);
  out.append(",\"data\":");
  if (!append_compact_json(out, event.data)) {
    out.resize(start);
    return fail(Code::usage, "the data is not JSON",
                "quote it for the shell: '{\"n\":1}' or '\"text\"'");
  }
  if (event.user_id) append_member(out, "userId", *event.user_id);
  if (event.timestamp) append_member(out, "timestamp", format_rfc3339_ms(*event.timestamp));
  if (!event.id.empty()) append_member(out, "id", event.id);
  if (!event.origin.empty()) append_member(out, "origin", event.origin);
  out.push_back('}');
  return {};
}

}  // namespace rt

#include "proto/sse_writer.h"

#include <algorithm>

#include "base/text.h"
#include "proto/line_scan.h"

namespace rt::sse {
namespace {

// One line "<prefix><part>\n" for each line of the text, at least one.
void append_lines(std::string& out, std::string_view prefix, std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    const char* const line_end = find_line_end(at, end);
    out.append(prefix).append(at, static_cast<std::size_t>(line_end - at)).push_back('\n');
    if (line_end == end) return;
    at = line_end + 1;
    if (*line_end == '\r' && at != end && *at == '\n') ++at;
  }
}

}  // namespace

bool is_field_safe(std::string_view value) {
  return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

bool append_event(std::string& out, const EventView& event) {
  if (!is_field_safe(event.id) || !is_field_safe(event.event)) return false;
  if (!event.id.empty()) out.append("id: ").append(event.id).push_back('\n');
  if (!event.event.empty()) out.append("event: ").append(event.event).push_back('\n');
  append_lines(out, "data: ", event.data);
  out.push_back('\n');
  return true;
}

void append_comment(std::string& out, std::string_view text) {
  append_lines(out, ": ", text);
  out.push_back('\n');
}

void append_retry(std::string& out, std::chrono::milliseconds retry) {
  out.append("retry: ");
  append_decimal(out, static_cast<std::uint64_t>(std::max<std::int64_t>(retry.count(), 0)));
  out.append("\n\n");
}

}  // namespace rt::sse

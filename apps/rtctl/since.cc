#include "rtctl/since.h"

#include <fmt/format.h>

#include "base/units.h"

namespace rt::rtctl {

Result<Since> parse_since(std::string_view text, WallTime now) {
  Since since;
  if (text.empty()) return since;
  if (text == "begin" || text == "end") {
    since.kind = text == "begin" ? Since::Kind::begin : Since::Kind::end;
    return since;
  }
  // A bare number is an id; parse_duration() takes none but "0".
  if (const auto back = parse_duration(text); back && text != "0") {
    since.kind = Since::Kind::time;
    since.time = now - std::chrono::duration_cast<std::chrono::microseconds>(*back);
    return since;
  }
  if (const auto time = parse_rfc3339(text)) {
    if (*time > now) return fail(Code::usage, fmt::format("--since {} lies in the future", text));
    since.kind = Since::Kind::time;
    since.time = *time;
    return since;
  }
  if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
    return fail(Code::usage, "an event id has no line break or NUL");
  }
  since.kind = Since::Kind::id;
  since.id = text;
  return since;
}

}  // namespace rt::rtctl

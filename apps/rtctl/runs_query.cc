#include "rtctl/runs_query.h"

#include <fmt/format.h>

#include "base/text.h"
#include "base/units.h"

namespace rt::rtctl {
namespace {

void append_name(std::string& out, std::string_view name) {
  out.append(out.size() > 1 ? "," : "");
  append_json_string(out, name);
  out.push_back(':');
}

// RFC 3986 section 2.3: only unreserved characters stand for themselves.
std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace

std::string runs_filter_json(const RunsFilter& filter) {
  std::string out = "{";
  if (filter.run_id) {
    append_name(out, "run_id");
    append_json_string(out, *filter.run_id);
  }
  if (filter.env_id) {
    append_name(out, "env_id");
    append_json_string(out, *filter.env_id);
  }
  if (!filter.tags.empty()) {
    append_name(out, "tags");
    char before = '[';
    for (const std::string& tag : filter.tags) {
      out.push_back(before);
      append_json_string(out, tag);
      before = ',';
    }
    out.push_back(']');
  }
  if (filter.created_since) {
    append_name(out, "created_at");
    append_json_string(out, format_rfc3339(*filter.created_since));
  }
  return out + "}";
}

std::string runs_stream_url(std::string_view base, const RunsFilter& filter) {
  while (!base.empty() && base.back() == '/') base.remove_suffix(1);
  const std::string json = runs_filter_json(filter);
  std::string url(base);
  url.append("/v1/runs/stream");
  if (json != "{}") url.append("?filter=").append(percent_encoded(json));
  return url;
}

Result<WallTime> parse_since(std::string_view text, WallTime now) {
  if (const auto time = parse_rfc3339(text)) return *time;
  if (const auto back = parse_duration(text)) {
    return now - std::chrono::duration_cast<std::chrono::microseconds>(*back);
  }
  return fail(Code::usage, fmt::format("\"{}\" is neither a time nor a duration", text),
              "for example 15m, 2h or 2026-03-29T00:30:00Z");
}

}  // namespace rt::rtctl

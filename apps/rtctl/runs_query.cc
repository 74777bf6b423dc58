#include "rtctl/runs_query.h"

#include <fmt/format.h>

#include "base/text.h"
#include "base/units.h"
#include "proto/percent.h"
#include "rtctl/server_urls.h"

namespace rt::rtctl {
namespace {

void append_name(std::string& out, std::string_view name) {
  out.append(out.size() > 1 ? "," : "");
  append_json_string(out, name);
  out.push_back(':');
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

std::string runs_stream_url(std::string_view base, const RunsFilter& filter, bool with_initial) {
  const std::string json = runs_filter_json(filter);
  std::string url = without_slash(base) + "/v1/runs/stream";
  char separator = '?';
  if (json != "{}") {
    append_percent_encoded(url.append("?filter="), json);
    separator = '&';
  }
  if (!with_initial) (url += separator) += "initial=none";
  return url;
}

}  // namespace rt::rtctl

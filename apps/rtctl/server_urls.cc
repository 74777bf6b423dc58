#include "rtctl/server_urls.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "proto/percent.h"

namespace rt::rtctl {
namespace {

constexpr std::size_t kTopicBytesMax = 128;

bool is_topic_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

std::string without_slash(std::string_view base) {
  while (!base.empty() && base.back() == '/') base.remove_suffix(1);
  return std::string(base);
}

Result<std::string> topic_url(std::string_view base, std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  const bool named = !lower.empty() && lower.size() <= kTopicBytesMax &&
                     std::all_of(lower.begin(), lower.end(), is_topic_character);
  if (!named) {
    return fail(Code::usage, fmt::format("\"{}\" is no topic", name),
                "topics are 1 to 128 of a-z, 0-9, _ and -");
  }
  return without_slash(base) + "/topics/" + lower + "/events";
}

Result<std::string> events_url(std::string_view base, std::string_view scope) {
  const std::string url = without_slash(base) + "/events";
  if (scope.empty()) return url;
  const std::size_t colon = scope.find(':');
  const bool has_id =
      colon != std::string_view::npos && colon > 0 && parse_decimal(scope.substr(colon + 1));
  if (!has_id) {
    return fail(Code::usage, fmt::format("\"{}\" is no scope", scope),
                "a scope is a word and a number: gym:1; with a token, leave it out");
  }
  std::string query = "?scope=";
  append_percent_encoded(query, scope.substr(0, colon));
  return fmt::format("{}{}&scope_id={}", url, query, scope.substr(colon + 1));
}

Result<std::string> realtime_url(std::string_view base, const std::vector<std::string>& types) {
  std::string url = without_slash(base) + "/realtime";
  char separator = '?';
  for (const std::string& type : types) {
    if (type.empty() || type.find(',') != std::string::npos) {
      return fail(Code::usage, fmt::format("\"{}\" is no event type", type),
                  "give the types as words of their own: rtctl sub realtime a b");
    }
    url += separator == '?' ? "?events=" : ",";
    append_percent_encoded(url, type);
    separator = ',';
  }
  return url;
}

Result<std::string> job_url(std::string_view base, std::string_view id) {
  if (id.empty()) return fail(Code::usage, "which job? its id is empty");
  std::string url = without_slash(base) + "/jobs/";
  append_percent_encoded(url, id);
  return url + "/stream";
}

}  // namespace rt::rtctl

#include "server/run_filter.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/units.h"

namespace rt::server {
namespace {

using nlohmann::json;

Result<std::string> string_of(const json& value, const char* key) {
  if (!value.is_string()) return fail(Code::usage, fmt::format("\"{}\" must be a string", key));
  return value.get<std::string>();
}

}  // namespace

Result<RunFilter> RunFilter::parse(std::string_view text, TagsMatch tags_match) {
  RunFilter filter;
  filter.tags_match_ = tags_match;
  if (text.empty()) return filter;
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (object.is_discarded()) return fail(Code::usage, "filter is not valid JSON");
  if (!object.is_object()) return fail(Code::usage, "filter must be a JSON object");
  for (const auto& [key, value] : object.items()) {
    if (value.is_null()) continue;
    if (key == "run_id") {
      filter.run_ = hash_name(Role::run, RT_TRY(string_of(value, "run_id")));
    } else if (key == "env_id") {
      filter.environment_ = hash_name(Role::environment, RT_TRY(string_of(value, "env_id")));
    } else if (key == "created_at") {
      const auto at = parse_rfc3339(RT_TRY(string_of(value, "created_at")));
      if (!at) return fail(Error(at.error()).context("\"created_at\""));
      filter.created_us_ = unix_us(*at);
    } else if (key == "tags") {
      if (!value.is_array() || value.size() > kTagsMax) {
        return fail(Code::usage,
                    fmt::format("\"tags\" must be an array of at most {} strings", kTagsMax));
      }
      for (const json& tag : value) {
        filter.tags_.push_back(hash_name(Role::tag, RT_TRY(string_of(tag, "tags"))));
      }
    } else {
      filter.ignored_.push_back(key);
    }
  }
  return filter;
}

RunFilter RunFilter::one_run(const Hash128& run) {
  RunFilter filter;
  filter.run_ = run;
  return filter;
}

bool RunFilter::matches(const RunFacts& run) const {
  if (run_ && *run_ != run.id) return false;
  if (environment_ && environment_ != run.environment) return false;
  if (created_us_ && (!run.created_us || *run.created_us < *created_us_)) return false;
  if (tags_.empty()) return true;
  const auto has = [&](const Hash128& tag) {
    return std::find(run.tags.begin(), run.tags.end(), tag) != run.tags.end();
  };
  return tags_match_ == TagsMatch::any ? std::any_of(tags_.begin(), tags_.end(), has)
                                       : std::all_of(tags_.begin(), tags_.end(), has);
}

std::vector<std::uint64_t> RunFilter::keys() const {
  if (run_) return {run_->low};
  if (!tags_.empty()) {
    // Of several tags that must all be there, any one finds every event.
    if (tags_match_ == TagsMatch::all) return {tags_.front().low};
    std::vector<std::uint64_t> keys;
    for (const Hash128& tag : tags_) keys.push_back(tag.low);
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
  }
  if (environment_) return {environment_->low};
  return {kEveryRunKey};
}

void append_event_keys(std::vector<std::uint64_t>& out, const RunFacts& facts) {
  out.push_back(facts.id.low);
  if (facts.environment) out.push_back(facts.environment->low);
  for (const Hash128& tag : facts.tags) out.push_back(tag.low);
}

}  // namespace rt::server

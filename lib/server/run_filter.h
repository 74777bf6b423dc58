// Which runs a subscriber wants: the `filter` parameter of GET /v1/runs/stream, a JSON object of
// run_id, env_id (strings), tags (strings) and created_at (RFC 3339, at or after). All given
// conditions must hold; absent or null is no condition. Immutable once parsed; thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/run_facts.h"

namespace rt::server {

enum class TagsMatch : std::uint8_t { any, all };

class RunFilter {
 public:
  // Keeps a hostile filter from becoming a large index; the request head bounds it anyway.
  static constexpr std::size_t kTagsMax = 64;

  // Empty text means every run. Code::usage with a reason for anything malformed.
  static Result<RunFilter> parse(std::string_view json, TagsMatch tags_match);

  static RunFilter one_run(const Hash128& run);

  bool matches(const RunFacts& run) const;

  // Keys under which a subscriber must be indexed so that each event it may want reaches it: its
  // narrowest condition. Events carry their keys (event_keys()).
  std::vector<std::uint64_t> keys() const;

  // A filter on one run id and nothing else: the key alone decides.
  bool is_one_run() const { return run_ && !environment_ && tags_.empty() && !created_us_; }
  const std::optional<Hash128>& run() const { return run_; }
  const std::optional<Hash128>& environment() const { return environment_; }
  const std::vector<Hash128>& tags() const { return tags_; }
  TagsMatch tags_match() const { return tags_match_; }
  // Keys of the object that mean nothing to us; the subscriber is told.
  const std::vector<std::string>& ignored() const { return ignored_; }

 private:
  std::optional<Hash128> run_;
  std::optional<Hash128> environment_;
  std::optional<std::int64_t> created_us_;
  std::vector<Hash128> tags_;
  TagsMatch tags_match_ = TagsMatch::any;
  std::vector<std::string> ignored_;
};

// The keys of an event about a run with these facts: its id, environment and tags.
void append_event_keys(std::vector<std::uint64_t>& out, const RunFacts& facts);

}  // namespace rt::server

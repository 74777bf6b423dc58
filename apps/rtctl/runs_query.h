// The address of a stream of runs: GET /v1/runs/stream?filter=<json>. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace rt::rtctl {

// All given conditions must hold; a run has one of the tags. None given: every run.
struct RunsFilter {
  std::optional<std::string> run_id;
  std::optional<std::string> env_id;
  std::vector<std::string> tags;
  std::optional<WallTime> created_since;
};

// {"run_id":"r1","tags":["a"],"created_at":"2026-03-29T00:30:00.000000Z"}
std::string runs_filter_json(const RunsFilter& filter);

// `base` with or without a slash at the end: "http://127.0.0.1:8080". Not with_initial: only what
// is new, not the rows as they are.
std::string runs_stream_url(std::string_view base, const RunsFilter& filter,
                            bool with_initial = true);

}  // namespace rt::rtctl

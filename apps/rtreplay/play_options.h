// What is asked of `rtreplay play`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/tool.h"
#include "pipe/archive_source.h"
#include "rtreplay/play_sse.h"
#include "rtreplay/play_targets.h"
#include "rtreplay/play_transform.h"

namespace rt::rtreplay {

struct PlayOptions {
  std::string path;
  TargetOptions target;
  std::string speed = "1";
  std::string max_gap;
  std::string from;
  std::string until;
  std::vector<std::string> breaks;
  std::string late = "send";
  std::string max_late;
  TransformOptions transform;
  std::string recover;
  SseTarget sse;
  std::uint32_t loops = 1;
  bool dry_run = false;
  bool no_keys = false;
  bool quiet = false;

  void declare(CLI::App* app);
  // Without what depends on the target. Code::usage.
  Result<ArchiveSourceOptions> source() const;
};

}  // namespace rt::rtreplay

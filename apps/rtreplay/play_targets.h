// Where `rtreplay play --to` may go: from the word to an open sink.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "archive/reader.h"
#include "base/clock.h"
#include "base/position.h"
#include "pipe/sink.h"
#include "rtreplay/play_messages.h"
#include "rtreplay/play_postgres.h"

namespace rt::rtreplay {

struct TargetOptions {
  std::string to;
  std::string format = "ndjson";  // of stdout
  PostgresTarget postgres;
  MessageTarget messages;
  bool yes = false;  // also to a target that is not on this machine
};

struct PlayTarget {
  std::unique_ptr<Sink> sink;
  // Everything before was played into it already.
  std::optional<Position> resume;
  // What it came to, on standard error; may be empty.
  std::function<void()> report{};
  bool prints = false;  // on standard output
};

// What a target's name means.
enum class TargetKind : std::uint8_t { null, out, sse, postgres, messages };
Result<TargetKind> target_kind(const std::string& to);
// Checks what can be checked before anything is opened or connected: Code::usage.
Result<void> check_target(const TargetOptions& options);
// Not for sse, which is no sink. cancel_fd becomes readable when every wait is to end.
Result<PlayTarget> open_target(const TargetOptions& options,
                               const archive::SegmentHeader& recording, int cancel_fd,
                               const Clock& clock);

}  // namespace rt::rtreplay

// Processor time and memory of threads and processes, from the kernel. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace rt {

// Of the calling thread since it began.
std::int64_t thread_cpu_ns();

struct ProcessUse {
  std::uint64_t rss_bytes = 0;
  std::int64_t cpu_ns = 0;  // user and system, since the process began
};
// Of the server under load, at one instant.
struct TargetSample {
  Instant at{};
  ProcessUse use;
};

// Of a process by number, 0: this one. nullopt when there is none, or it is not ours to see.
std::optional<ProcessUse> process_use(std::int64_t pid);

// The number in a pid file.
Result<std::int64_t> read_pid_file(const std::string& path);

}  // namespace rt

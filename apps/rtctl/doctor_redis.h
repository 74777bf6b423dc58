// What a Redis looks like to those who publish and subscribe through it. Judgements are pure.
// Source: redis.io, "Redis configuration" (client-output-buffer-limit, maxmemory-policy).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "rtctl/doctor_finding.h"

namespace rt::rtctl {

struct RedisFacts {
  std::optional<Error> failure;  // there is no connection; nothing below is known
  std::string endpoint;
  Duration ping{};
  std::string version;                      // "7.0.15"
  std::optional<std::string> pubsub_limit;  // "33554432 8388608 60"; absent: CONFIG is not allowed
  std::optional<std::string> policy;        // maxmemory-policy
  std::uint64_t memory_max = 0;             // 0: no limit
  std::uint64_t memory_used = 0;
};

Finding judge_redis_connect(const RedisFacts& facts);
Finding judge_redis_version(const RedisFacts& facts);
Finding judge_redis_output(const RedisFacts& facts);
Finding judge_redis_memory(const RedisFacts& facts);

// A connection that fails is a fact; a command that fails is an error.
Result<RedisFacts> measure_redis(const std::string& url);

}  // namespace rt::rtctl

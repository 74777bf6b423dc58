// A check of `rtctl doctor`: a name, and a judgement over what was measured. Judging does no I/O.
// The table of all checks is doctor_checks.cc; one file a family says what its checks mean.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "rtctl/doctor_http.h"
#include "rtctl/doctor_machine.h"
#include "rtctl/doctor_pg.h"
#include "rtctl/doctor_redis.h"

namespace rt::rtctl {

// What was measured; a family that nobody asked for is absent.
struct DoctorFacts {
  std::optional<HttpFacts> http;
  std::optional<PgFacts> pg;
  std::optional<RedisFacts> redis;
  std::optional<MachineFacts> machine;
};

enum class Family : std::uint8_t { http, pg, redis, machine };
inline constexpr std::array<std::string_view, 4> kFamilyNames = {"http", "pg", "redis", "machine"};

struct Check {
  std::string_view name;
  Family family;
  Finding (*judge)(const DoctorFacts& facts);
};

// In the order in which they are numbered, from 1.
std::span<const Check> doctor_checks();

}  // namespace rt::rtctl

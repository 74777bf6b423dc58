#include "load/start_roll.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace rt {
namespace {

constexpr std::string_view kWait = "wait";
constexpr std::string_view kStart = "start ";
// Why there is no start; the code decides how the shard exits.
constexpr std::string_view kMissing = "missing ";
constexpr std::string_view kRefused = "refused ";

}  // namespace

StartRoll::StartRoll(std::string run_id, unsigned shards, std::string scenario_sha256,
                     Duration after)
    : run_id_(std::move(run_id)),
      scenario_sha256_(std::move(scenario_sha256)),
      after_(after),
      seats_(shards) {}

Result<std::optional<WallTime>> StartRoll::hello(const Hello& from, WallTime now) {
  if (from.run_id != run_id_) {
    return fail(Code::usage,
                fmt::format("this is where run {} meets, not {}", run_id_, from.run_id));
  }
  const unsigned number = from.shard.number;
  const auto refuse = [this](std::string why) { give_up({Code::usage, std::move(why), {}}); };
  if (from.shard.count != seats_.size()) {
    refuse(
        fmt::format("shard {} is one of {}, not of {}", number, from.shard.count, seats_.size()));
  } else if (from.scenario_sha256 != scenario_sha256_) {
    refuse(fmt::format("shard {} runs another scenario", number));
  }
  if (number < seats_.size()) {
    Seat& seat = seats_[number];
    if (seat.process.empty()) seat.process = from.process;
    if (seat.process != from.process) {
      refuse(
          fmt::format("shard {} is claimed by {} and by {}", number, seat.process, from.process));
    }
    if (!failure_ && !start_ && missing().empty()) {
      start_ = now + std::chrono::duration_cast<std::chrono::microseconds>(after_);
    }
    seat.knows = start_ || failure_;
  }
  if (failure_) return fail(*failure_);
  return start_;
}

void StartRoll::give_up(Error why) {
  if (!failure_ && !start_) failure_ = std::move(why);
}

std::vector<unsigned> StartRoll::missing() const {
  std::vector<unsigned> out;
  for (unsigned shard = 0; shard < seats_.size(); ++shard) {
    if (seats_[shard].process.empty()) out.push_back(shard);
  }
  return out;
}

bool StartRoll::all_know() const {
  return std::all_of(seats_.begin(), seats_.end(),
                     [](const Seat& seat) { return seat.process.empty() || seat.knows; });
}

std::string hello_path(const StartRoll::Hello& hello) {
  return fmt::format("/{}/{}/{}/{}/{}", hello.run_id, hello.shard.number, hello.shard.count,
                     hello.scenario_sha256, hello.process);
}

Result<StartRoll::Hello> parse_hello_path(std::string_view path) {
  const std::vector<std::string_view> parts = split(path, '/');
  if (parts.size() == 6 && parts[0].empty() && !parts[5].empty()) {
    const auto shard = parse_shard(fmt::format("{}/{}", parts[2], parts[3]));
    if (shard) {
      return StartRoll::Hello{std::string(parts[1]), *shard, std::string(parts[4]),
                              std::string(parts[5])};
    }
  }
  return fail(Code::usage, "expected /RUN/SHARD/SHARDS/SCENARIO/PROCESS");
}

std::string hello_answer(const Result<std::optional<WallTime>>& told) {
  if (!told) {
    const bool missing = told.error().code == Code::unreachable;
    return fmt::format("{}{}\n", missing ? kMissing : kRefused, told.error().text);
  }
  if (!*told) return fmt::format("{}\n", kWait);
  return fmt::format("{}{}\n", kStart, unix_us(**told));
}

Result<std::optional<WallTime>> parse_hello_answer(std::string_view body) {
  const std::string_view line = body.substr(0, body.find_last_not_of("\r\n") + 1);
  const auto rest = [&](std::string_view word) { return std::string(line.substr(word.size())); };
  if (line == kWait) return std::optional<WallTime>();
  if (line.starts_with(kMissing)) return fail(Code::unreachable, rest(kMissing));
  if (line.starts_with(kRefused)) return fail(Code::usage, rest(kRefused));
  if (line.starts_with(kStart)) {
    if (const auto us = parse_decimal(rest(kStart))) {
      return std::optional(from_unix_us(static_cast<std::int64_t>(*us)));
    }
  }
  return fail(Code::usage, "what answers there is no shard 0 of a run");
}

}  // namespace rt

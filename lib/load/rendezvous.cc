#include "load/rendezvous.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/text.h"
#include "base/units.h"

namespace rt {
namespace {

// A shared folder is looked at that often; T lies seconds ahead.
constexpr std::chrono::milliseconds kLook{50};
// The last stretch before T is waited for in one piece.
constexpr std::chrono::milliseconds kSlice{200};

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return file ? text.str() : std::string();
}

// Beside and renamed: others see all of it or nothing.
Result<void> leave(const std::string& path, const std::string& text) {
  const std::string beside = path + ".part";
  std::ofstream file(beside);
  file << text << std::flush;
  file.close();
  if (!file || std::rename(beside.c_str(), path.c_str()) != 0) {
    return fail(os_error("cannot write " + path, errno));
  }
  return {};
}

tl::unexpected<Error> stopped() {
  return fail(Code::cancelled, "stopped while waiting for the other shards");
}

class Meeting {
 public:
  Meeting(const Rendezvous& place, const Clock& clock, const Pause& pause)
      : place_(place), clock_(clock), pause_(pause), until_(clock.now() + place.patience) {}

  Result<WallTime> run() {
    std::error_code ignored;  // if it is missing afterwards, writing says so
    std::filesystem::create_directories(place_.place, ignored);
    if (std::filesystem::exists(path("start"))) {
      return fail(Code::usage,
                  fmt::format("run id {} was used before: {} exists", place_.run_id, path("start")),
                  "give each run an id of its own");
    }
    RT_CHECKED(leave(ready_path(place_.shard.number), place_.scenario_sha256));
    if (place_.shard.number == 0) RT_CHECKED(gather());
    return read_start();
  }

 private:
  std::string path(const std::string& name) const {
    return fmt::format("{}/{}.{}", place_.place, place_.run_id, name);
  }
  std::string ready_path(unsigned shard) const { return path(fmt::format("{}.ready", shard)); }

  // Looks until `found` says so.
  template <typename Found>
  Result<void> await(Found found, const std::function<std::string()>& missing) {
    while (!found()) {
      if (clock_.now() >= until_) {
        return fail(Code::unreachable, fmt::format("{} did not come to {} within {}", missing(),
                                                   place_.place, format_duration(place_.patience)));
      }
      if (pause_(kLook) != 0) return stopped();
    }
    return {};
  }

  std::vector<unsigned> missing() const {
    std::vector<unsigned> out;
    for (unsigned shard = 0; shard < place_.shard.count; ++shard) {
      if (!std::filesystem::exists(ready_path(shard))) out.push_back(shard);
    }
    return out;
  }

  Result<void> gather() {
    RT_CHECKED(await([&] { return missing().empty(); },
                     [&] { return fmt::format("shard {}", fmt::join(missing(), ", ")); }));
    for (unsigned shard = 0; shard < place_.shard.count; ++shard) {
      if (read_file(ready_path(shard)) == place_.scenario_sha256) continue;
      return fail(Code::usage, fmt::format("shard {} runs another scenario", shard));
    }
    const WallTime at =
        clock_.wall() + std::chrono::duration_cast<std::chrono::microseconds>(place_.after);
    return leave(path("start"), std::to_string(unix_us(at)));
  }

  Result<WallTime> read_start() {
    RT_CHECKED(await([&] { return std::filesystem::exists(path("start")); },
                     [] { return std::string("shard 0"); }));
    const auto us = parse_decimal(read_file(path("start")));
    if (!us) return fail(Code::usage, path("start") + " does not hold a time");
    return from_unix_us(static_cast<std::int64_t>(*us));
  }

  const Rendezvous& place_;
  const Clock& clock_;
  const Pause& pause_;
  const Instant until_;
};

}  // namespace

Result<StartAt> parse_start_at(std::string_view text) {
  StartAt start;
  if (text.starts_with('+')) {
    start.is_relative = true;
    start.after = RT_TRY(parse_duration(text.substr(1)));
  } else {
    start.at = RT_TRY(parse_rfc3339(text));
  }
  return start;
}

Result<WallTime> agree_on_start(const Rendezvous& rendezvous, const Clock& clock,
                                const Pause& pause) {
  return Meeting(rendezvous, clock, pause).run();
}

Result<void> wait_for_start(WallTime at, const Clock& clock, const Pause& pause) {
  const Duration left = at - clock.wall();
  if (left < Duration::zero()) {
    return fail(Code::unreachable,
                fmt::format("the start at {} was {} ago: this shard is late", format_rfc3339_ms(at),
                            format_duration(-left)),
                "let --start-at leave more time");
  }
  const Instant start = clock.now() + left;
  for (Instant now = clock.now(); now < start; now = clock.now()) {
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(start - now);
    if (pause(std::min(rest, kSlice)) != 0) return stopped();
  }
  return {};
}

}  // namespace rt

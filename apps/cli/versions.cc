#include "cli/versions.h"

#include <fmt/core.h>

#include <CLI/Version.hpp>
#include <nlohmann/json.hpp>

#include "http/http_options.h"
#include "pg/connection.h"
#include "redis/connection.h"

namespace rt::cli {

std::string version_json(const std::string& tool) {
#if defined(__clang__)
  constexpr const char* kCompiler = "clang " __clang_version__;
#else
  constexpr const char* kCompiler = "g++ " __VERSION__;
#endif
#ifdef NDEBUG
  constexpr const char* kBuild = "release";
#else
  constexpr const char* kBuild = "debug";
#endif
  nlohmann::ordered_json out = {
      {"tool", tool}, {"version", RT_VERSION}, {"compiler", kCompiler}, {"build", kBuild}};
  const std::string json_version =
      fmt::format("nlohmann_json/{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR,
                  NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH);
  const std::string fmt_version =
      fmt::format("fmt/{}.{}.{}", FMT_VERSION / 10'000, FMT_VERSION / 100 % 100, FMT_VERSION % 100);
  out["libraries"] = {http_library_version(), pg_library_version(), redis_library_version(),
                      "CLI11/" CLI11_VERSION, json_version,         fmt_version};
  return out.dump() + "\n";
}

}  // namespace rt::cli

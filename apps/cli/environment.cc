#include "cli/environment.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace rt::cli {

std::string first_set(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

Result<log::Level> log_level(log::Level otherwise) {
  const std::string word = first_set({"RT_LOG"});
  if (word.empty()) return otherwise;
  using Named = std::pair<std::string_view, log::Level>;
  constexpr std::array<Named, 4> kLevels = {{{"error", log::Level::error},
                                             {"warn", log::Level::warn},
                                             {"info", log::Level::info},
                                             {"debug", log::Level::debug}}};
  for (const auto& [name, level] : kLevels) {
    if (word == name) return level;
  }
  return fail(Code::usage,
              fmt::format("log level \"{}\" is none of error, warn, info, debug", word),
              "it is set by RT_LOG, or by \"log\" in a settings file");
}

}  // namespace rt::cli

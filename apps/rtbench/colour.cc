#include "rtbench/colour.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace rt::rtbench {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

void add_colour_option(CLI::App* app, std::string& word) {
  app->add_option("--color", word, "Colours")->type_name("auto|always|never")->envname("RT_COLOR");
}

bool wants_colour(const std::string& word) {
  if (word == "always") return true;
  if (word == "never" || !environment("NO_COLOR").empty()) return false;
  if (!environment("FORCE_COLOR").empty()) return true;
  return ::isatty(STDOUT_FILENO) != 0 && environment("TERM") != "dumb";
}

}  // namespace rt::rtbench

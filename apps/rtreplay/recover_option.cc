#include <fmt/format.h>

#include "rtreplay/verbs.h"

namespace rt::rtreplay {

void add_recover_option(CLI::App* app, std::string& value) {
  app->add_option("--recover", value, "Damage: stop with exit 6, end before it, or skip it")
      ->type_name("strict|point-in-time|salvage")
      ->default_str("strict");
}

Result<archive::OnDamage> parse_on_damage(const std::string& text) {
  if (text.empty() || text == "strict") return archive::OnDamage::strict;
  if (text == "point-in-time") return archive::OnDamage::point_in_time;
  if (text == "salvage") return archive::OnDamage::salvage;
  return fail(Code::usage, fmt::format("unknown mode of --recover: \"{}\"", text),
              "one of strict, point-in-time, salvage");
}

}  // namespace rt::rtreplay

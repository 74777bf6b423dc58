#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "load/scenario.h"
#include "rtbench/verbs.h"

namespace rt::rtbench {
namespace {

struct ValidateFlags {
  std::string scenario;
  std::vector<std::string> overrides;
  bool expand = false;
};

Result<int> validate(const ValidateFlags& flags) {
  const Scenario scenario = RT_TRY(read_scenario(flags.scenario, flags.overrides));
  if (flags.expand) {
    std::printf("%s\n", nlohmann::ordered_json::parse(scenario.expanded).dump(2).c_str());
  } else {
    std::printf("%s is valid: %s, sha256 %s\n", flags.scenario.c_str(), scenario.name.c_str(),
                scenario.sha256.c_str());
  }
  return 0;
}

}  // namespace

void add_validate(cli::Tool& tool) {
  auto flags = std::make_shared<ValidateFlags>();
  CLI::App* app = tool.verb("validate", "Check a scenario file; nothing is started",
                            [flags] { return validate(*flags); });
  app->add_option("SCENARIO", flags->scenario, "A scenario file, or preset:NAME")->required();
  app->add_option("--set", flags->overrides, "Override one key of the scenario; repeat for several")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  app->add_flag("--expand", flags->expand,
                "Print the scenario with presets and overrides applied, as JSON");
  cli::Tool::examples(app, "  rtbench validate scenarios/quickstart.json --expand");
}

}  // namespace rt::rtbench

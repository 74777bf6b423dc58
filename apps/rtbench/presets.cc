#include "load/presets.h"

#include <cstdio>
#include <memory>

#include "rtbench/verbs.h"

namespace rt::rtbench {

void add_presets(cli::Tool& tool) {
  auto name = std::make_shared<std::string>();
  CLI::App* app = tool.verb("presets", "List the built-in scenarios, or print one", [name] {
    if (name->empty()) {
      for (const PresetText& preset : presets()) {
        std::printf("%-8.*s %.*s\n", static_cast<int>(preset.name.size()), preset.name.data(),
                    static_cast<int>(preset.summary.size()), preset.summary.data());
      }
      return Result<int>(0);
    }
    const PresetText* preset = find_preset(*name);
    if (preset == nullptr) {
      return Result<int>(fail(Code::usage, "there is no preset \"" + *name + "\"",
                              "\"rtbench presets\" lists them"));
    }
    std::printf("%.*s\n", static_cast<int>(preset->json.size()), preset->json.data());
    return Result<int>(0);
  });
  app->add_option("NAME", *name, "The preset to print");
  cli::Tool::examples(app, "  rtbench presets runs > mine.json");
}

}  // namespace rt::rtbench

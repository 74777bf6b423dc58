// Built-in scenarios, named by `rtbench run preset:NAME` and `"extends": "preset:NAME"`.
#pragma once

#include <span>
#include <string_view>

namespace rt {

struct PresetText {
  std::string_view name;     // "runs"
  std::string_view summary;  // one line
  std::string_view json;     // a complete scenario
};
std::span<const PresetText> presets();
const PresetText* find_preset(std::string_view name);

}  // namespace rt

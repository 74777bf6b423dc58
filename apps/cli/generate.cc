#include "cli/generate.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace rt::cli {
namespace {

using nlohmann::ordered_json;

ordered_json json_of(const OptionInfo& option) {
  ordered_json out = {{"name", option.name}};
  const auto add = [&out](const char* key, const std::string& text) {
    if (!text.empty()) out[key] = text;
  };
  add("letter", option.letter);
  add("value", option.value);
  add("text", option.text);
  add("group", option.group);
  add("env", option.variable);
  add("default", option.default_text);
  if (option.repeatable) out["repeatable"] = true;
  if (option.required) out["required"] = true;
  return out;
}

ordered_json json_of(const VerbInfo& verb) {
  ordered_json out = {{"name", verb.name}, {"path", verb.path}, {"text", verb.text}};
  if (!verb.aliases.empty()) out["aliases"] = verb.aliases;
  out["options"] = ordered_json::array();
  for (const OptionInfo& option : verb.options) out["options"].push_back(json_of(option));
  out["arguments"] = ordered_json::array();
  for (const OptionInfo& option : verb.positionals) out["arguments"].push_back(json_of(option));
  out["verbs"] = ordered_json::array();
  for (const VerbInfo& inner : verb.verbs) out["verbs"].push_back(json_of(inner));
  if (!verb.footer.empty()) out["footer"] = verb.footer;
  return out;
}

}  // namespace

std::string verb_tree_json(const VerbInfo& tool) {
  return json_of(tool).dump(2) + "\n";
}

Result<std::string> generate(std::string_view what, const VerbInfo& tool) {
  if (what == "bash") return bash_completion(tool);
  if (what == "zsh") return zsh_completion(tool);
  if (what == "fish") return fish_completion(tool);
  if (what == "man") return man_page(tool, RT_VERSION);
  if (what == "json") return verb_tree_json(tool);
  constexpr std::array<std::string_view, 5> kKinds = {"bash", "zsh", "fish", "man", "json"};
  const auto near = nearest(what, kKinds);
  return fail(Code::usage, fmt::format("cannot generate \"{}\"", what),
              near ? fmt::format("did you mean {}?", *near) : "bash, zsh, fish, man or json");
}

}  // namespace rt::cli

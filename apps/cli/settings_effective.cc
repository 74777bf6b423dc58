// Settings::effective(): what holds, and which layer won.
#include "cli/environment.h"
#include "cli/settings.h"
#include "cli/settings_keys.h"

namespace rt::cli {
namespace {

using Effective = Settings::Effective;

void append_builtins(const CLI::App& app, const std::string& path, std::vector<Effective>& out) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty() || option->get_default_str().empty()) continue;
    out.push_back(
        {path + "." + option->get_lnames().front(), {option->get_default_str()}, "built-in"});
  }
  for (const CLI::App* verb : app.get_subcommands(nullptr)) {
    append_builtins(*verb, path + "." + verb->get_name(), out);
  }
}

}  // namespace

std::optional<Effective> Settings::effective_shared(const SharedKey& key) const {
  for (const std::string_view name : {key.variable, key.fallback}) {
    const std::string variable(name);
    const std::string value = variable.empty() ? "" : first_set({variable.c_str()});
    if (value.empty()) continue;
    const auto ours = origins_.find(variable);
    return Effective{
        std::string(key.name), {value}, ours == origins_.end() ? "env " + variable : ours->second};
  }
  if (const Setting* setting = find_setting(layers_, "", "", key.name)) {
    return Effective{std::string(key.name), setting->values, setting->origin};
  }
  if (key.built_in.empty()) return std::nullopt;
  return Effective{std::string(key.name), {std::string(key.built_in)}, "built-in"};
}

std::vector<Effective> Settings::effective(const CLI::App& tool, bool all) const {
  std::vector<Effective> out;
  for (const SharedKey& key : shared_keys()) {
    if (auto shared = effective_shared(key)) out.push_back(std::move(*shared));
  }
  std::map<std::string, Effective> own;  // of this tool and its verbs
  for (const Layer& layer : layers_) {
    for (const auto& [key, setting] : layer) {
      if (find_shared_key(key) != nullptr) continue;
      own.try_emplace(key, Effective{key, setting.values, setting.origin});  // the strongest stays
    }
  }
  std::vector<Effective> built_in;
  if (all) append_builtins(tool, tool.get_name(), built_in);
  for (Effective& one : built_in) own.try_emplace(one.key, one);
  for (auto& [key, one] : own) out.push_back(std::move(one));
  return out;
}

}  // namespace rt::cli

#include "cli/settings_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "cli/settings_keys.h"

namespace rt::cli {
namespace {

using Kind = JsonNode::Kind;

constexpr std::array<std::string_view, 3> kTools = {"rtctl", "rtreplay", "rtbench"};

Error at(const JsonNode& node, const std::string& text, std::string hint = {}) {
  return Error{Code::usage, fmt::format("{}: {}", node.where, text), std::move(hint)};
}

Error unknown_key(const JsonNode& node, const std::string& key,
                  const std::set<std::string>& known) {
  if (key == "token" || key == "password") {
    return at(node, fmt::format("a settings file holds no secret: \"{}\"", key),
              "put it into a file of its own and name that with \"token_file\"");
  }
  std::vector<std::string_view> words(known.begin(), known.end());
  const auto near = nearest(option_name(key), words);
  std::string hint;
  if (near) {
    hint = std::string(*near);
    std::replace(hint.begin(), hint.end(), '-', '_');
    hint = fmt::format("did you mean \"{}\"?", hint);
  } else {
    hint = "docs/settings.md has the list; --no-config ignores all files";
  }
  return at(node, fmt::format("unknown key \"{}\"", key), hint);
}

Result<std::string> scalar(const JsonNode& node, const std::string& key) {
  switch (node.kind) {
    case Kind::string:
    case Kind::number:
      return node.text;
    case Kind::boolean:
      return std::string(node.boolean ? "true" : "false");
    default:
      return fail(at(node, fmt::format("\"{}\" must be a text, a number, true or false, not {}",
                                       key, describe(node))));
  }
}

Result<Setting> setting(const JsonNode& node, const std::string& key) {
  Setting out{{}, node.where};
  if (node.kind != Kind::array) {
    out.values.push_back(RT_TRY(scalar(node, key)));
    return out;
  }
  for (const JsonNode& item : node.items) out.values.push_back(RT_TRY(scalar(item, key)));
  return out;
}

bool is_settable(const std::string& name) {
  constexpr std::array<std::string_view, 7> kNever = {"help",      "version", "generate", "config",
                                                      "no-config", "context", "token"};
  return std::find(kNever.begin(), kNever.end(), name) == kNever.end();
}

void add_options(const CLI::App& app, std::set<std::string>& names) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (is_settable(name)) names.insert(name);
    }
  }
}

void add_options_below(const CLI::App& app, std::set<std::string>& names) {
  add_options(app, names);
  for (const CLI::App* verb : app.get_subcommands(nullptr)) add_options_below(*verb, names);
}

// One object of this tool's section: options of the verb and of those below it, and these verbs.
Result<void> read_section(const JsonNode& section, const CLI::App& app, const std::string& path,
                          Layer& layer) {
  if (section.kind != Kind::object) {
    return fail(
        at(section, fmt::format("\"{}\" must be an object, not {}", path, describe(section))));
  }
  std::set<std::string> options;
  add_options_below(app, options);
  for (const SharedKey& key : shared_keys()) options.insert(std::string(key.name));
  std::set<std::string> known = options;
  for (const CLI::App* verb : app.get_subcommands(nullptr)) known.insert(verb->get_name());
  for (std::size_t i = 0; i < section.keys.size(); ++i) {
    const std::string name = option_name(section.keys[i]);
    const JsonNode& value = section.items[i];
    const CLI::App* verb = find_verb(app, name);
    if (verb != nullptr && value.kind == Kind::object) {
      RT_CHECKED(read_section(value, *verb, path + "." + verb->get_name(), layer));
    } else if (options.count(name) != 0) {
      layer[path + "." + name] = RT_TRY(setting(value, section.keys[i]));
    } else {
      return fail(unknown_key(value, section.keys[i], known));
    }
  }
  return {};
}

Result<void> read_layer(const JsonNode& object, const CLI::App& tool, Layer& layer,
                        const std::set<std::string_view>& extra) {
  std::set<std::string> known(kTools.begin(), kTools.end());
  known.insert(extra.begin(), extra.end());
  for (const SharedKey& key : shared_keys()) known.insert(std::string(key.name));
  for (std::size_t i = 0; i < object.keys.size(); ++i) {
    const std::string& key = object.keys[i];
    const JsonNode& value = object.items[i];
    if (extra.count(key) != 0) continue;
    if (key == tool.get_name()) {
      RT_CHECKED(read_section(value, tool, tool.get_name(), layer));
    } else if (find_shared_key(option_name(key)) != nullptr) {
      layer[option_name(key)] = RT_TRY(setting(value, key));
    } else if (std::find(kTools.begin(), kTools.end(), key) == kTools.end()) {
      return fail(unknown_key(value, key, known));
    }
  }
  return {};
}

Result<void> read_contexts(const JsonNode& contexts, const CLI::App& tool, SettingsFile& out) {
  if (contexts.kind != Kind::object) {
    return fail(
        at(contexts, fmt::format("\"contexts\" must be an object, not {}", describe(contexts))));
  }
  for (std::size_t i = 0; i < contexts.keys.size(); ++i) {
    const JsonNode& context = contexts.items[i];
    const std::string& name = contexts.keys[i];
    if (context.kind != Kind::object) {
      return fail(at(context, fmt::format("context \"{}\" must be an object, not {}", name,
                                          describe(context))));
    }
    Layer& layer = out.contexts[name];
    RT_CHECKED(read_layer(context, tool, layer, {}));
    for (auto& [key, value] : layer) {
      value.origin = fmt::format("context {} ({})", name, value.origin);
    }
  }
  return {};
}

}  // namespace

const CLI::App* find_verb(const CLI::App& app, const std::string& name) {
  for (const CLI::App* verb : app.get_subcommands(nullptr)) {
    if (verb->check_name(name)) return verb;
  }
  return nullptr;
}

Result<SettingsFile> read_settings(const JsonNode& document, const CLI::App& tool) {
  if (document.kind != Kind::object) {
    return fail(at(document, "settings must be an object, not " + describe(document)));
  }
  SettingsFile out;
  RT_CHECKED(read_layer(document, tool, out.layer, {"contexts", "context", "previous_context"}));
  if (const JsonNode* contexts = document.find("contexts")) {
    RT_CHECKED(read_contexts(*contexts, tool, out));
  }
  if (const JsonNode* name = document.find("context")) {
    out.context = RT_TRY(scalar(*name, "context"));
  }
  if (const JsonNode* name = document.find("previous_context")) {
    out.previous = RT_TRY(scalar(*name, "previous_context"));
  }
  return out;
}

const Setting* find_setting(const std::vector<Layer>& layers, std::string_view tool,
                            std::string_view verb, std::string_view option) {
  for (const Layer& layer : layers) {
    std::string scope(tool);
    if (!verb.empty()) scope += "." + std::string(verb);
    for (;;) {
      const auto found =
          layer.find(scope.empty() ? std::string(option) : scope + "." + std::string(option));
      if (found != layer.end()) return &found->second;
      if (scope.empty()) break;
      const std::size_t dot = scope.rfind('.');
      scope.resize(dot == std::string::npos ? 0 : dot);
    }
  }
  return nullptr;
}

}  // namespace rt::cli

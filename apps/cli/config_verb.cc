#include "cli/config_verb.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/settings_keys.h"

namespace rt::cli {
namespace {

struct Show {
  bool origin = false;
  bool all = false;
  bool json = false;
};

// Keys as they are written in a file.
std::string file_spelling(std::string key) {
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

std::string value_text(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) {
    text += (text.empty() ? "" : ", ") + without_secrets(value);
  }
  return text;
}

void print_json(const std::vector<Settings::Effective>& settings) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const Settings::Effective& setting : settings) {
    nlohmann::ordered_json values = nlohmann::ordered_json::array();
    for (const std::string& value : setting.values) values.push_back(without_secrets(value));
    const nlohmann::ordered_json value = values.size() == 1 ? values.front() : values;
    out[file_spelling(setting.key)] = {{"value", value}, {"origin", setting.origin}};
  }
  std::printf("%s\n", out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

void print_text(const std::vector<Settings::Effective>& settings, bool origin) {
  std::size_t key_width = 0;
  std::size_t value_width = 0;
  for (const Settings::Effective& setting : settings) {
    key_width = std::max(key_width, setting.key.size());
    value_width = std::max(value_width, value_text(setting.values).size());
  }
  constexpr std::size_t kValueColumns = 48;  // a longer value moves its origin alone
  value_width = std::min(value_width, kValueColumns);
  for (const Settings::Effective& setting : settings) {
    const std::string key = file_spelling(setting.key);
    const std::string value = value_text(setting.values);
    const std::string line = origin ? fmt::format("{:<{}}  {:<{}}  {}\n", key, key_width, value,
                                                  value_width, setting.origin)
                                    : fmt::format("{:<{}}  {}\n", key, key_width, value);
    std::fputs(line.c_str(), stdout);
  }
}

}  // namespace

void add_config(Tool& tool) {
  CLI::App* config = tool.group("config", "Show the settings that hold, and the files they are in");
  auto flags = std::make_shared<Show>();
  CLI::App* show = tool.verb(config, "show", "Print each setting that holds", [&tool, flags] {
    const auto settings = tool.settings().effective(tool.app(), flags->all);
    flags->json ? print_json(settings) : print_text(settings, flags->origin);
    return Result<int>(0);
  });
  show->add_flag("--origin", flags->origin, "Also where it comes from: file and line, or variable");
  show->add_flag("--all", flags->all, "Also the built-in value of every option");
  show->add_flag("--json", flags->json, "As JSON, with origins");
  Tool::examples(show, "  " + tool.name() + " config show --origin\n  " + tool.name() +
                           " --context prod config show --json");
  tool.verb(config, "path", "Print the settings files, strongest first", [&tool] {
    for (const Settings::File& file : tool.settings().files()) {
      std::printf("%s%s\n", file.path.c_str(), file.read ? "" : "  (not there)");
    }
    return Result<int>(0);
  });
}

}  // namespace rt::cli

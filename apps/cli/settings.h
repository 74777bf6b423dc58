// What the options of a verb are set to when the command line does not say: by the environment, a
// context (profile), ./rt.json, the user's file, the machine's file; in this order, flags before
// all. Before other threads start: it writes to the environment.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/settings_keys.h"
#include "cli/settings_layers.h"

namespace rt::cli {

class Settings {
 public:
  // --config, --no-config, --context, and --verbose, --log-file, --no-color, for the help of the
  // tool.
  static void declare(CLI::App& tool);

  // Before the parse, when the tree of verbs is complete: reads the files and lays what they say
  // under the options of the verb that the words choose. These words leave argv, so that
  // they may stand before and after the verb. Code::usage: a file or a value is wrong.
  Result<void> apply(CLI::App& tool, int& argc, char** argv);

  struct Effective {
    std::string key;  // "url", "rtctl.subscribe.format"
    std::vector<std::string> values;
    std::string origin;  // "env RT_URL", "/etc/rt/config.json:3", "built-in"
  };
  // What holds, shared settings first; with `all`, also the built-in value of each verb's options.
  std::vector<Effective> effective(const CLI::App& tool, bool all) const;

  struct File {
    std::string path;
    bool read = false;
  };
  const std::vector<File>& files() const { return files_; }  // strongest first
  const std::string& context() const { return context_; }    // the chosen one, or empty

 private:
  struct Words;
  Result<void> read_files(const CLI::App& tool, const Words& words);
  Result<void> choose_context(const Words& words, const std::vector<SettingsFile>& files);
  Result<void> lay_under(CLI::App& tool, const std::string& verb, CLI::App& app);
  std::optional<Effective> effective_shared(const SharedKey& key) const;
  void lay_under_environment(const std::string& tool, const std::string& verb);

  std::vector<File> files_;
  std::vector<Layer> layers_;  // strongest first
  std::string context_;
  std::map<std::string, std::string> origins_;  // of environment variables that we set
};

// The user's own file, there or not: $XDG_CONFIG_HOME/rt/config.json, else ~/.config; empty
// without a home.
std::string user_settings_path();

// A whole file of settings, with comments. Code::usage names file and line.
Result<JsonNode> read_settings_document(const std::string& path);

}  // namespace rt::cli

#include "cli/settings.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/log.h"
#include "base/text.h"
#include "cli/environment.h"
#include "cli/settings_keys.h"

namespace rt::cli {

// What the parse of the command line will find, looked for before it.
struct Settings::Words {
  std::string config;
  std::string context;
  bool no_config = false;
  bool verbose = false;
  bool no_colour = false;
  std::string log_file;
  std::string verb;  // "publish.run"
  CLI::App* app = nullptr;
};

namespace {

// The value of "--name VALUE" or "--name=VALUE" at argv[i], which is moved past it.
// Not at the end of argv: the parse then complains about the missing value.
bool take_value(int argc, const char* const* argv, int& i, std::string_view name,
                std::string& value) {
  const std::string_view word = argv[i];
  if (word == name && i + 1 < argc) {
    value = argv[++i];
    return true;
  }
  if (word.substr(0, name.size()) != name || word.size() <= name.size() ||
      word[name.size()] != '=') {
    return false;
  }
  value = word.substr(name.size() + 1);
  return true;
}

bool take_flag(std::string_view word, std::initializer_list<std::string_view> names, bool& flag) {
  if (std::find(names.begin(), names.end(), word) == names.end()) return false;
  flag = true;
  return true;
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

std::vector<std::string> default_paths() {
  std::vector<std::string> paths = {"./rt.json"};
  if (const std::string user = user_settings_path(); !user.empty()) paths.push_back(user);
  paths.emplace_back("/etc/rt/config.json");
  return paths;
}

bool is_set(const std::string& variable) {
  return !variable.empty() && !first_set({variable.c_str()}).empty();
}

// As if `setting` stood on the command line, but weaker: a flag replaces it.
Result<void> set_default(CLI::Option& option, const Setting& setting) {
  try {
    option.clear();
    if (setting.values.empty()) return {};
    option.add_result(setting.values);
    option.run_callback();
    option.clear();
  } catch (const CLI::Error& error) {
    option.clear();
    std::string what = error.what();
    for (char& c : what) c = c == '\n' ? ' ' : c;
    return fail(Code::usage, fmt::format("{}: {}", setting.origin, what));
  }
  if (!option.get_default_str().empty()) option.default_str(setting.values.front());
  return {};
}

// Looks for what must be known before the parse, up to "--", and takes it out of argv: so it may
// stand anywhere, and no verb must know of it.
template <typename Words>
Words take_words(CLI::App& tool, int& argc, char** argv) {
  Words words;
  words.app = &tool;
  bool in_verbs = true;
  int kept = 1;
  int i = 1;
  for (; i < argc && std::string_view(argv[i]) != "--"; ++i) {
    if (take_value(argc, argv, i, "--config", words.config)) continue;
    if (take_value(argc, argv, i, "--context", words.context)) continue;
    if (take_value(argc, argv, i, "--log-file", words.log_file)) continue;
    const std::string_view word = argv[i];
    if (take_flag(word, {"--no-config"}, words.no_config)) continue;
    if (take_flag(word, {"--verbose", "-v"}, words.verbose)) continue;
    if (take_flag(word, {"--no-color"}, words.no_colour)) continue;
    argv[kept++] = argv[i];
    if (!in_verbs || word.rfind('-', 0) == 0) continue;
    CLI::App* verb = const_cast<CLI::App*>(find_verb(*words.app, std::string(word)));
    in_verbs = verb != nullptr;
    if (!in_verbs) continue;
    words.verb += (words.verb.empty() ? "" : ".") + verb->get_name();
    words.app = verb;
  }
  for (; i < argc; ++i) argv[kept++] = argv[i];
  argc = kept;
  return words;
}

}  // namespace

std::string user_settings_path() {
  const std::string xdg = first_set({"XDG_CONFIG_HOME"});
  if (!xdg.empty()) return xdg + "/rt/config.json";
  const std::string home = first_set({"HOME"});
  return home.empty() ? std::string() : home + "/.config/rt/config.json";
}

Result<JsonNode> read_settings_document(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(os_error("cannot read settings file " + path, errno, Code::usage));
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return parse_document(text, path);
}

void Settings::declare(CLI::App& tool) {
  const std::string group = "Settings";
  tool.add_option("--config", "Settings from this file alone (else RT_CONFIG)")
      ->type_name("FILE")
      ->group(group);
  tool.add_option("--context", "Use this profile (else RT_CONTEXT, or \"rtctl ctx use\")")
      ->type_name("NAME")
      ->group(group);
  tool.add_flag("--no-config")->description("Read no settings file")->group(group);
  const std::string talk = "Talk";
  tool.add_flag("-v,--verbose")->description("Log connections too (as RT_LOG=debug)")->group(talk);
  tool.add_option("--log-file", "Log into this file, not on standard error; serve: again at SIGHUP")
      ->type_name("FILE")
      ->group(talk);
  tool.add_flag("--no-color")->description("No colours (as RT_COLOR=never)")->group(talk);
}

Result<void> Settings::apply(CLI::App& tool, int& argc, char** argv) {
  const std::string_view last = argc > 1 ? argv[argc - 1] : "";
  if (last == "--config" || last == "--context" || last == "--log-file") {
    --argc;  // the parse would not know it behind a verb
    return fail(Code::usage, fmt::format("{} needs a value", last));
  }
  const Words words = take_words<Words>(tool, argc, argv);
  if (words.verbose) ::setenv("RT_LOG", "debug", 1);
  if (words.no_colour) ::setenv("RT_COLOR", "never", 1);
  if (!words.log_file.empty()) RT_CHECKED(log::to_file(words.log_file));
  RT_CHECKED(read_files(tool, words));
  lay_under_environment(tool.get_name(), words.verb);
  return lay_under(tool, words.verb, *words.app);
}

Result<void> Settings::read_files(const CLI::App& tool, const Words& words) {
  const std::string only = !words.config.empty() ? words.config : first_set({"RT_CONFIG"});
  std::vector<std::string> paths = default_paths();
  if (!only.empty()) paths = {only};
  if (words.no_config) paths.clear();
  std::vector<SettingsFile> files;
  for (const std::string& path : paths) {
    File& file = files_.emplace_back(File{path, false});
    if (only.empty() && !exists(path)) continue;
    const JsonNode document = RT_TRY(read_settings_document(path));
    files.push_back(RT_TRY(read_settings(document, tool)));
    file.read = true;
  }
  // "ctx" must work when the selected one is gone.
  if (words.verb.rfind("ctx", 0) != 0) RT_CHECKED(choose_context(words, files));
  for (SettingsFile& file : files) layers_.push_back(std::move(file.layer));
  return {};
}

Result<void> Settings::choose_context(const Words& words, const std::vector<SettingsFile>& files) {
  std::string name = !words.context.empty() ? words.context : first_set({"RT_CONTEXT"});
  for (std::size_t i = 0; i < files.size() && name.empty(); ++i) name = files[i].context;
  if (name.empty() || (words.no_config && words.context.empty())) return {};
  std::vector<std::string_view> known;
  for (const SettingsFile& file : files) {
    const auto found = file.contexts.find(name);
    if (found != file.contexts.end()) {
      layers_.push_back(found->second);
      context_ = name;
      return {};
    }
    for (const auto& [other, layer] : file.contexts) known.push_back(other);
  }
  const auto near = nearest(name, known);
  return fail(Code::usage, fmt::format("there is no context \"{}\"", name),
              near ? fmt::format("did you mean \"{}\"?", *near)
                   : fmt::format("make it with \"rtctl ctx set {} url=...\"", name));
}

// Shared settings with a variable become that variable, so that a verb sees one rule: the flag,
// else the environment.
void Settings::lay_under_environment(const std::string& tool, const std::string& verb) {
  for (const SharedKey& key : shared_keys()) {
    const std::string variable(key.variable);
    if (variable.empty() || is_set(variable) || is_set(std::string(key.fallback))) continue;
    const Setting* setting = find_setting(layers_, tool, verb, key.name);
    if (setting == nullptr || setting->values.empty()) continue;
    ::setenv(variable.c_str(), setting->values.front().c_str(), 1);
    origins_[variable] = setting->origin;
  }
}

Result<void> Settings::lay_under(CLI::App& tool, const std::string& verb, CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      const SharedKey* shared = find_shared_key(name);
      const bool by_environment = shared != nullptr && !shared->variable.empty();
      if (by_environment || is_set(option->get_envname())) continue;
      const Setting* setting = find_setting(layers_, tool.get_name(), verb, name);
      if (setting != nullptr) RT_CHECKED(set_default(*option, *setting));
    }
  }
  return {};
}

}  // namespace rt::cli

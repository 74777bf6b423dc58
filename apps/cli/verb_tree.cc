#include "cli/verb_tree.h"

#include <algorithm>

#include "base/text.h"

namespace rt::cli {
namespace {

OptionInfo read_option(const CLI::Option& option) {
  OptionInfo info;
  if (!option.get_snames().empty()) info.letter = option.get_snames().front();
  info.name = option.get_lnames().empty() ? option.get_name(true) : option.get_lnames().front();
  const bool is_flag = option.get_items_expected_max() == 0;
  if (!is_flag) info.value = option.get_type_name();
  info.text = option.get_description();
  info.group = option.get_group();
  info.variable = option.get_envname();
  info.default_text = option.get_default_str();
  info.repeatable = option.get_items_expected_max() > 1;
  info.required = option.get_required();
  return info;
}

VerbInfo read_verb(const CLI::App& app, const std::string& parents) {
  VerbInfo info;
  info.name = app.get_name();
  info.path = parents.empty() ? info.name : parents + " " + info.name;
  info.aliases = app.get_aliases();
  info.text = app.get_description();
  info.footer = app.get_footer();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    (option->get_positional() ? info.positionals : info.options).push_back(read_option(*option));
  }
  for (const CLI::App* verb : app.get_subcommands(nullptr)) {
    if (!verb->get_group().empty()) info.verbs.push_back(read_verb(*verb, info.path));
  }
  return info;
}

}  // namespace

std::vector<std::string> OptionInfo::choices() const {
  std::vector<std::string> words;
  if (value.find('|') == std::string::npos) return words;
  for (const std::string_view word : split(value, '|')) {
    const bool is_word = std::none_of(word.begin(), word.end(), [](char c) {
      return (c >= 'A' && c <= 'Z') || c == '[' || c == ' ';
    });
    if (!is_word) return {};  // "ID|TIME" are kinds of values, not values
    words.emplace_back(word);
  }
  return words;
}

bool OptionInfo::takes_file() const {
  for (const char* kind : {"FILE", "PATH", "ARCHIVE", "SCENARIO"}) {
    if (value == kind || name == kind) return true;
  }
  return false;
}
bool OptionInfo::takes_folder() const {
  return value == "DIR";
}

VerbInfo read_verb_tree(const CLI::App& app) {
  return read_verb(app, "");
}

}  // namespace rt::cli

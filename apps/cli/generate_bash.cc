// bash: one function that walks the words to find the verb, then offers its verbs, options and,
// after an option with a value, what that value may be.
#include <fmt/format.h>

#include "cli/generate.h"

namespace rt::cli {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string option_words(const VerbInfo& verb) {
  std::vector<std::string> words;
  for (const OptionInfo& option : verb.options) {
    words.push_back("--" + option.name);
    if (!option.letter.empty()) words.push_back("-" + option.letter);
  }
  return joined(words);
}

// Every name of a verb leads to its path.
void append_steps(std::string& out, const VerbInfo& verb) {
  for (const VerbInfo& inner : verb.verbs) {
    out += fmt::format("      '{} {}') verb='{}' ;;\n", verb.path, inner.name, inner.path);
    for (const std::string& alias : inner.aliases) {
      out += fmt::format("      '{} {}') verb='{}' ;;\n", verb.path, alias, inner.path);
    }
    append_steps(out, inner);
  }
}

std::string value_reply(const OptionInfo& option) {
  const std::vector<std::string> choices = option.choices();
  if (!choices.empty())
    return fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$cur\"))", joined(choices));
  if (option.takes_file()) return "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))";
  if (option.takes_folder()) return "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$cur\"))";
  return "COMPREPLY=()";
}

void append_values(std::string& out, const VerbInfo& verb) {
  for (const OptionInfo& option : verb.options) {
    if (option.value.empty()) continue;
    out += fmt::format("    '{} --{}'", verb.path, option.name);
    if (!option.letter.empty()) out += fmt::format(" | '{} -{}'", verb.path, option.letter);
    out += fmt::format(") {}; return ;;\n", value_reply(option));
  }
  for (const VerbInfo& inner : verb.verbs) append_values(out, inner);
}

void append_words(std::string& out, const VerbInfo& verb) {
  std::vector<std::string> verbs;
  for (const VerbInfo& inner : verb.verbs) verbs.push_back(inner.name);
  bool files = false;
  for (const OptionInfo& word : verb.positionals) files = files || word.takes_file();
  out += fmt::format("    '{}') options='{}' verbs='{}' files={} ;;\n", verb.path,
                     option_words(verb), joined(verbs), files ? 1 : 0);
  for (const VerbInfo& inner : verb.verbs) append_words(out, inner);
}

}  // namespace

std::string bash_completion(const VerbInfo& tool) {
  std::string steps;
  std::string values;
  std::string words;
  append_steps(steps, tool);
  append_values(values, tool);
  append_words(words, tool);
  return fmt::format(R"(# bash completion for {0}; made by "{0} --generate bash"
_{0}() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}}
  local verb='{0}' options='' verbs='' files=0 i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$verb ${{COMP_WORDS[i]}}" in
{1}    esac
  done
  case "$verb $prev" in
{2}  esac
  case "$verb" in
{3}  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [[ -n $verbs ]]; then
    COMPREPLY=($(compgen -W "$verbs" -- "$cur"))
  elif ((files)); then
    compopt -o filenames
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}}
complete -F _{0} {0}
)",
                     tool.name, steps, values, words);
}

}  // namespace rt::cli

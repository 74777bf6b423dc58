// zsh: one function a verb, each a call of _arguments with the texts of the help.
#include <fmt/format.h>

#include "cli/generate.h"

namespace rt::cli {
namespace {

std::string function_name(const VerbInfo& verb) {
  std::string name = "_" + verb.path;
  for (char& c : name) c = c == ' ' || c == '-' ? '_' : c;
  return name;
}

// Inside single quotes, in a message of _arguments: brackets and colons have a meaning there.
std::string message(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out;
}

std::string action(const OptionInfo& option) {
  std::string words;
  for (const std::string& choice : option.choices()) words += (words.empty() ? "" : " ") + choice;
  if (!words.empty()) return "(" + words + ")";
  if (option.takes_file()) return "_files";
  if (option.takes_folder()) return "_files -/";
  return " ";
}

std::string spec(const OptionInfo& option, const std::string& name) {
  std::string text =
      fmt::format("    '{}{}[{}]", option.repeatable ? "*" : "", name, message(option.text));
  if (!option.value.empty()) text += fmt::format(":{}:{}", message(option.value), action(option));
  return text + "' \\\n";
}

void append_function(std::string& out, const VerbInfo& verb) {
  out += fmt::format("{}() {{\n", function_name(verb));
  if (!verb.verbs.empty()) out += "  local context state state_descr line\n";
  out += "  _arguments -s -S \\\n";
  for (const OptionInfo& option : verb.options) {
    if (!option.letter.empty()) out += spec(option, "-" + option.letter);
    out += spec(option, "--" + option.name);
  }
  if (verb.verbs.empty()) {
    for (const OptionInfo& word : verb.positionals) {
      out += fmt::format("    '{}:{}:{}' \\\n", word.repeatable ? "*" : "", message(word.name),
                         action(word));
    }
    out += "    && return\n}\n";
    return;
  }
  out += "    '1:verb:->verb' '*::argument:->argument' && return\n  case $state in\n    verb)\n";
  out += "      local -a verbs=(\n";
  for (const VerbInfo& inner : verb.verbs) {
    out += fmt::format("        '{}:{}'\n", inner.name, message(inner.text));
  }
  out += "      )\n      _describe verb verbs ;;\n    argument)\n      case $line[1] in\n";
  for (const VerbInfo& inner : verb.verbs) {
    std::string names = inner.name;
    for (const std::string& alias : inner.aliases) names += "|" + alias;
    out += fmt::format("        {}) {} ;;\n", names, function_name(inner));
  }
  out += "      esac ;;\n  esac\n}\n";
  for (const VerbInfo& inner : verb.verbs) append_function(out, inner);
}

}  // namespace

std::string zsh_completion(const VerbInfo& tool) {
  std::string out = fmt::format("#compdef {0}\n# made by \"{0} --generate zsh\"\n", tool.name);
  append_function(out, tool);
  return out + fmt::format(
                   "if [ \"$funcstack[1]\" = _{0} ]; then _{0} \"$@\"; else compdef _{0} {0}; fi\n",
                   tool.name);
}

}  // namespace rt::cli

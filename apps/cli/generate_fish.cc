// fish: a complete command for every verb and option, each with the condition that says where.
#include <fmt/format.h>

#include "cli/generate.h"

namespace rt::cli {
namespace {

std::string fish_text(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string all_names(const VerbInfo& verb) {
  std::string names = verb.name;
  for (const std::string& alias : verb.aliases) names += " " + alias;
  return names;
}

std::string verb_names(const VerbInfo& verb) {
  std::string names;
  for (const VerbInfo& inner : verb.verbs) names += (names.empty() ? "" : " ") + all_names(inner);
  return names;
}

// where: a fish condition that holds when the verb's words are on the command line.
void append_verb(std::string& out, const std::string& tool, const VerbInfo& verb,
                 const std::string& where) {
  const std::string prefix = fmt::format("complete -c {}", tool);
  const std::string none_yet = verb.verbs.empty()
                                   ? where
                                   : fmt::format("{}{}not __fish_seen_subcommand_from {}", where,
                                                 where.empty() ? "" : "; and ", verb_names(verb));
  const std::string condition = none_yet.empty() ? "" : " -n " + fish_text(none_yet);
  for (const VerbInfo& inner : verb.verbs) {
    out +=
        fmt::format("{}{} -f -a {} -d {}\n", prefix, condition, inner.name, fish_text(inner.text));
  }
  for (const OptionInfo& option : verb.options) {
    out += prefix + condition;
    if (!option.letter.empty()) out += " -s " + option.letter;
    out += " -l " + option.name;
    std::string choices;
    for (const std::string& choice : option.choices())
      choices += (choices.empty() ? "" : " ") + choice;
    if (!choices.empty()) {
      out += " -x -a " + fish_text(choices);
    } else if (!option.value.empty()) {
      out += option.takes_file() || option.takes_folder() ? " -r -F" : " -x";
    }
    out += " -d " + fish_text(option.text) + "\n";
  }
  for (const VerbInfo& inner : verb.verbs) {
    append_verb(out, tool, inner,
                fmt::format("{}{}__fish_seen_subcommand_from {}", where,
                            where.empty() ? "" : "; and ", all_names(inner)));
  }
}

}  // namespace

std::string fish_completion(const VerbInfo& tool) {
  std::string out =
      fmt::format("# fish completion for {0}; made by \"{0} --generate fish\"\n", tool.name);
  append_verb(out, tool.name, tool, "");
  return out;
}

}  // namespace rt::cli

// A man page of section 1 (man(7) macros): the tool, each verb with its options and examples, the
// exit codes.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/exit_codes.h"
#include "cli/generate.h"

namespace rt::cli {
namespace {

// Backslashes, hyphens, and a dot or quote that begins a line mean something to troff.
std::string troff(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    line_begins = c == '\n';
  }
  return out;
}

void append_option(std::string& out, const OptionInfo& option) {
  out += ".TP\n";
  if (!option.letter.empty()) out += fmt::format("\\fB\\-{}\\fR, ", option.letter);
  out += fmt::format("\\fB\\-\\-{}\\fR", troff(option.name));
  if (!option.value.empty()) out += fmt::format(" \\fI{}\\fR", troff(option.value));
  out += "\n" + troff(option.text) + ".\n";
  if (!option.default_text.empty())
    out += fmt::format("Default: {}.\n", troff(option.default_text));
  if (!option.variable.empty()) out += fmt::format("Environment: {}.\n", troff(option.variable));
  if (option.repeatable) out += "May be repeated.\n";
}

void append_options(std::string& out, const VerbInfo& verb) {
  for (const OptionInfo& option : verb.options) {
    if (option.name != "help") append_option(out, option);
  }
}

std::string synopsis(const VerbInfo& verb) {
  std::string out = fmt::format("\\fB{}\\fR [\\fIOPTION\\fR]...", troff(verb.path));
  for (const OptionInfo& word : verb.positionals) {
    const std::string name = troff(word.name) + (word.repeatable ? "..." : "");
    out += word.required ? fmt::format(" \\fI{}\\fR", name) : fmt::format(" [\\fI{}\\fR]", name);
  }
  return out;
}

void append_verb(std::string& out, const VerbInfo& verb) {
  if (verb.verbs.empty()) {
    out += fmt::format(".SS \"{}\"\n{}.\n", troff(verb.path), troff(verb.text));
    if (!verb.aliases.empty()) {
      out += "Also:";
      for (const std::string& alias : verb.aliases) out += " " + troff(alias);
      out += ".\n";
    }
    out += ".PP\n" + synopsis(verb) + "\n";
    append_options(out, verb);
    if (!verb.footer.empty()) out += ".PP\n.nf\n" + troff(verb.footer) + "\n.fi\n";
  }
  for (const VerbInfo& inner : verb.verbs) append_verb(out, inner);
}

}  // namespace

std::string man_page(const VerbInfo& tool, std::string_view version) {
  std::string upper = tool.name;
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  std::string summary = tool.text;
  while (!summary.empty() && summary.back() == '.') summary.pop_back();
  std::string out =
      fmt::format(".TH {} 1 \"\" \"{} {}\" \"User Commands\"\n", upper, tool.name, version);
  out += fmt::format(".SH NAME\n{} \\- {}\n", tool.name, troff(summary));
  out += fmt::format(
      ".SH SYNOPSIS\n\\fB{}\\fR \\fIVERB\\fR [\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n",
      tool.name);
  out += ".SH OPTIONS\n";
  append_options(out, tool);
  out += ".SH VERBS\n";
  append_verb(out, tool);
  out += ".SH EXIT STATUS\n.nf\n" + troff(exit_code_table()) + ".fi\n";
  return out;
}

}  // namespace rt::cli

// A tool's verbs and options as plain values, read from its CLI11 tree: what help texts, man pages,
// completions and `--generate json` are made of.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace rt::cli {

struct OptionInfo {
  std::string letter;    // "u" of -u, or empty
  std::string name;      // "url" of --url; of a positional its word
  std::string value;     // "URL", "text|ndjson"; empty: a flag
  std::string text;      // one line
  std::string group;     // heading in the help
  std::string variable;  // environment variable that sets it, or empty
  std::string default_text;
  bool repeatable = false;
  bool required = false;

  // "text|ndjson" -> {"text", "ndjson"}; empty if the value is free.
  std::vector<std::string> choices() const;
  bool takes_file() const;    // FILE, PATH or ARCHIVE
  bool takes_folder() const;  // DIR
};

struct VerbInfo {
  std::string name;  // "rtctl", "subscribe"
  std::string path;  // "rtctl publish run"
  std::vector<std::string> aliases;
  std::string text;
  std::string footer;  // examples
  std::vector<OptionInfo> options;
  std::vector<OptionInfo> positionals;
  std::vector<VerbInfo> verbs;
};

// Hidden options and verbs (empty group) are left out.
VerbInfo read_verb_tree(const CLI::App& app);

}  // namespace rt::cli

// What the three tools share: one table of verbs, one way to fail, one set of exit codes.
// A verb file declares `void add_<verb>(Tool& tool)`; main() is a list of those calls.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "base/result.h"
#include "cli/settings.h"

namespace rt::cli {

class Tool {
 public:
  Tool(std::string name, std::string description);

  // A verb: declare options on the returned App, then hand over what runs. `run` returns the exit
  // status of a verb that completed (0, or 1 for a negative answer), or the Error that stopped it.
  using Run = std::function<Result<int>()>;
  CLI::App* verb(const std::string& name, const std::string& summary, Run run);
  // A verb inside a verb (`rtctl publish run`); parents made this way need no run of their own.
  CLI::App* verb(CLI::App* parent, const std::string& name, const std::string& summary, Run run);
  CLI::App* group(const std::string& name, const std::string& summary);
  // Below this verb, words in brackets are data and no lists (literal_words.h).
  void take_words_literally(const std::string& verb) { literal_verbs_.push_back(verb); }
  // Lines shown under "examples:" in the verb's help.
  static void examples(CLI::App* app, const std::string& lines);

  const std::string& name() const { return name_; }
  const Settings& settings() const { return settings_; }
  const CLI::App& app() const { return app_; }

  // Parses, runs the chosen verb, prints an error as one line (and its hint) on standard error.
  // Returns the exit status.
  int main(int argc, char** argv);

 private:
  int usage_failed(const CLI::ParseError& error);

  std::string name_;
  CLI::App app_;
  Settings settings_;
  Run chosen_;
  std::string generate_;  // --generate
  bool version_ = false;
  bool json_ = false;
  std::vector<std::string> literal_verbs_;
};

// "rtctl: cannot reach 127.0.0.1:1: Connection refused (ECONNREFUSED)" and, if there is one, "hint:
// ...".
void print_error(const std::string& tool, const Error& error);

}  // namespace rt::cli

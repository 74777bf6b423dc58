#include "cli/tool.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "base/log.h"
#include "base/text.h"
#include "cli/config_verb.h"
#include "cli/environment.h"
#include "cli/exit_codes.h"
#include "cli/generate.h"
#include "cli/literal_words.h"
#include "cli/verb_tree.h"
#include "cli/versions.h"

namespace rt::cli {
namespace {

// The deepest verb that was on the command line, for help and suggestions.
CLI::App* deepest(CLI::App* app) {
  for (;;) {
    const auto chosen = app->get_subcommands();
    if (chosen.empty()) return app;
    app = chosen.front();
  }
}

std::string full_name(const CLI::App* app) {
  std::string name = app->get_name();
  for (const CLI::App* up = app->get_parent(); up != nullptr; up = up->get_parent()) {
    name = up->get_name() + " " + name;
  }
  return name;
}

std::vector<std::string> known_words(const CLI::App* app, bool options) {
  std::vector<std::string> words;
  if (options) {
    for (const CLI::App* at = app; at != nullptr; at = at->get_parent()) {
      for (const CLI::Option* option : at->get_options()) {
        for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
      }
    }
  } else {
    for (const CLI::App* verb : app->get_subcommands(nullptr)) words.push_back(verb->get_name());
  }
  return words;
}

std::string suggestion(const CLI::App* app, const std::string& word) {
  const bool is_option = word.rfind("-", 0) == 0;
  const std::vector<std::string> words = known_words(app, is_option);
  const std::vector<std::string_view> views(words.begin(), words.end());
  const auto found = nearest(word.substr(0, word.find('=')), views);
  return found ? fmt::format("did you mean {}? ", *found) : std::string();
}

}  // namespace

void print_error(const std::string& tool, const Error& error) {
  std::fprintf(stderr, "%s: %s\n", tool.c_str(), error.text.c_str());
  if (!error.hint.empty()) std::fprintf(stderr, "hint: %s\n", error.hint.c_str());
}

Tool::Tool(std::string name, std::string description)
    : name_(std::move(name)), app_(std::move(description), name_) {
  app_.require_subcommand(0, 1);
  app_.get_formatter()->column_width(34);
  app_.add_option("--generate", generate_, "Print a completion, the man page, or all verbs as JSON")
      ->type_name("bash|zsh|fish|man|json");
  app_.add_flag("--version", version_, "Print the version and exit (with --json: as JSON)");
  app_.add_flag("--json", json_, "With --version: machine-readable")->group("");
  verb("codes", "Print the table of exit codes", [] {
    std::fwrite(exit_code_table().data(), 1, exit_code_table().size(), stdout);
    return Result<int>(0);
  });
  Settings::declare(app_);
  add_config(*this);
}

CLI::App* Tool::verb(const std::string& name, const std::string& summary, Run run) {
  return verb(&app_, name, summary, std::move(run));
}

CLI::App* Tool::verb(CLI::App* parent, const std::string& name, const std::string& summary,
                     Run run) {
  CLI::App* app = parent->add_subcommand(name, summary);
  app->final_callback([this, app, run = std::move(run)] {
    if (app->get_subcommands().empty()) chosen_ = run;  // else a verb inside it was chosen
  });
  return app;
}

CLI::App* Tool::group(const std::string& name, const std::string& summary) {
  CLI::App* app = app_.add_subcommand(name, summary);
  app->require_subcommand(1);
  return app;
}

void Tool::examples(CLI::App* app, const std::string& lines) {
  app->footer("examples:\n" + lines);
}

int Tool::usage_failed(const CLI::ParseError& error) {
  CLI::App* at = deepest(&app_);
  if (error.get_exit_code() == 0) return app_.exit(error);  // --help
  std::string text = error.what();
  std::string hint;
  const std::vector<std::string> extras = app_.remaining(true);
  if (!extras.empty()) {
    const bool is_option = extras.front().rfind("-", 0) == 0;
    text = fmt::format("unknown {} \"{}\"", is_option ? "option" : "word", extras.front());
    hint = suggestion(at, extras.front());
  }
  for (char& c : text) c = c == '\n' ? ' ' : c;
  print_error(name_,
              Error{Code::usage, text, hint + fmt::format("see \"{} --help\"", full_name(at))});
  return exit_status(Code::usage);
}

int Tool::main(int argc, char** argv) {
  std::signal(SIGUSR1, SIG_IGN);  // asks how a verb fares; not every verb can tell
  std::signal(SIGPIPE,
              SIG_IGN);  // a closed pipe is an ordinary write error, handled where it happens
  const Result<void> settled = settings_.apply(app_, argc, argv);
  try {
    app_.parse(words_to_parse(argc, argv, literal_verbs_));
  } catch (const CLI::ParseError& error) {
    return usage_failed(error);
  }
  if (!generate_.empty()) {
    const auto made = generate(generate_, read_verb_tree(app_));
    if (!made) {
      print_error(name_, made.error());
      return exit_status(made.error().code);
    }
    std::fwrite(made->data(), 1, made->size(), stdout);
    return 0;
  }
  if (version_) {
    std::fputs((json_ ? version_json(name_) : fmt::format("{} {}\n", name_, RT_VERSION)).c_str(),
               stdout);
    return 0;
  }
  if (!chosen_) {
    std::fputs(app_.help().c_str(), stderr);
    return exit_status(Code::usage);
  }
  if (!settled) {
    print_error(name_, settled.error());
    return exit_status(settled.error().code);
  }
  const Result<log::Level> level = log_level(log::Level::info);
  if (!level) {
    print_error(name_, level.error());
    return exit_status(level.error().code);
  }
  log::configure(*level, log::Format::key_value);
  try {
    const Result<int> status = chosen_();
    if (status) return *status;
    Error error = status.error();
    if (error.code == Code::usage && error.hint.empty()) {
      error.hint = fmt::format("see \"{} --help\"", full_name(deepest(&app_)));
    }
    print_error(name_, error);
    return exit_status(error.code);
  } catch (const std::exception& bug) {
    print_error(name_, Error{Code::internal, fmt::format("internal error: {}", bug.what()),
                             "please report this with the command line"});
    return exit_status(Code::internal);
  }
}

}  // namespace rt::cli

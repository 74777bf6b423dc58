// The completions, tried in the shells they are for; the man pages, read by a formatter.
#include <cstdio>
#include <fstream>

#include "cli/verb_tree.h"

namespace rt::test {
namespace {

// What a shell command prints, on both streams.
std::string shell(const std::string& command) {
  std::FILE* pipe = ::popen(("exec 2>&1; " + command).c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
  ::pclose(pipe);
  return out;
}

std::string made(const std::string& kind, const std::string& file) {
  return std::string(RT_BINARY_DIR) + "/generated/" + kind + "/" + file;
}

// What bash offers after these words; the last one is being typed.
std::string bash_offers(const std::string& tool, const std::string& words) {
  return shell("bash -c 'set -eu; source " + made("bash", tool) + "; COMP_WORDS=(" + words +
               "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); compopt() { :; }; _" + tool +
               " || true; echo \"${COMPREPLY[*]-}\"'");
}

TEST_CASE("completion: bash offers verbs, options and values where they belong", "[cli][shell]") {
  CHECK(bash_offers("rtctl", "rtctl subs") == "subscribe\n");
  CHECK(bash_offers("rtctl", "rtctl sub --heart") == "--heartbeat-timeout\n");
  CHECK(bash_offers("rtctl", "rtctl subscribe --format nd") == "ndjson\n");
  CHECK(bash_offers("rtctl", "rtctl publish ru") == "run\n");
  CHECK(bash_offers("rtreplay", "rtreplay record wa") == "wal\n");
  CHECK(bash_offers("rtbench", "rtbench run --help").find("--help") == 0);
}

TEST_CASE("completion: zsh reads the functions and knows every verb", "[cli][shell]") {
  for (const std::string& tool : kTools) {
    const std::string out = shell("zsh -f -c 'autoload -U compinit; compinit -u -D; source " +
                                  made("zsh", "_" + tool) + "; print -r -- ${_comps[" + tool +
                                  "]}; functions -M >/dev/null; whence -w _" + tool + "'");
    CHECK(out == "_" + tool + "\n_" + tool + ": function\n");
    each_verb(verb_tree(tool), [&](const nlohmann::json& verb) {
      std::string name = "_" + verb["path"].get<std::string>();
      for (char& c : name) c = c == ' ' || c == '-' ? '_' : c;
      const std::string there = shell("zsh -f -c 'autoload -U compinit; compinit -u -D; source " +
                                      made("zsh", "_" + tool) + "; whence -w " + name + "'");
      CHECK(there == name + ": function\n");
    });
  }
}

TEST_CASE("completion: fish offers verbs, options and values where they belong", "[cli][shell]") {
  const auto offers = [](const std::string& tool, const std::string& line) {
    return shell("HOME=/tmp fish --no-config -c 'source " + made("fish", tool + ".fish") +
                 "; complete -C \"" + line + "\"'");
  };
  CHECK(offers("rtctl", "rtctl subs").find("subscribe\tPrint the events") == 0);
  CHECK(offers("rtctl", "rtctl subscribe --heart").find("--heartbeat-timeout\t") == 0);
  CHECK(offers("rtctl", "rtctl subscribe --format nd").find("ndjson") == 0);
  CHECK(offers("rtctl", "rtctl publish ru").find("run\t") == 0);
}

// Formatters print bold as a character, a backspace, and the character again.
std::string without_overstrikes(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\b') {
      out.pop_back();
    } else {
      out.push_back(c);
    }
  }
  return out;
}

TEST_CASE("man: pages are well formed and hold every verb and option", "[cli][shell]") {
  for (const std::string& tool : kTools) {
    const std::string page = made("man", tool + ".1");
    CHECK(shell("mandoc -T lint -W error " + page) == "");
    const std::string text = without_overstrikes(shell("mandoc -T utf8 " + page));
    each_verb(verb_tree(tool), [&](const nlohmann::json& verb) {
      INFO(verb["path"]);
      if (verb["verbs"].empty()) CHECK(text.find(verb["path"].get<std::string>()) != text.npos);
      for (const auto& option : verb["options"]) {
        if (option["name"] == "help") continue;
        INFO(option["name"]);
        CHECK(text.find("--" + option["name"].get<std::string>()) != text.npos);
      }
    });
    CHECK(text.find("130  interrupted") != text.npos);
  }
}

}  // namespace
}  // namespace rt::test

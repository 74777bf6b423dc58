// Rules over every option of the three tools: one letter, one meaning; one name, one kind of value.
#include <map>
#include <set>

#include "cli/verb_tree.h"

namespace rt::test {
namespace {

TEST_CASE("cli: a letter means the same wherever it is used", "[cli][lint]") {
  // These meanings are promised; others may be added, but never a second one for a letter.
  std::map<std::string, std::string> meaning = {
      {"c", "connections"}, {"d", "duration"}, {"h", "help"},   {"H", "header"},
      {"n", "count"},       {"o", "output"},   {"q", "quiet"},  {"r", "rate"},
      {"t", "topic"},       {"u", "url"},      {"v", "verbose"}};
  std::size_t letters = 0;
  for (const std::string& tool : kTools) {
    each_verb(verb_tree(tool), [&](const nlohmann::json& verb) {
      std::set<std::string> here;
      for (const auto& option : verb["options"]) {
        const std::string letter = option.value("letter", "");
        if (letter.empty()) continue;
        ++letters;
        INFO(verb["path"] << " -" << letter);
        CHECK(here.insert(letter).second);
        CHECK(meaning.emplace(letter, option["name"]).first->second == option["name"]);
      }
    });
  }
  CHECK(letters > 20);
}

TEST_CASE("cli: every option is described in one line, and takes a value of a named kind",
          "[cli][lint]") {
  for (const std::string& tool : kTools) {
    each_verb(verb_tree(tool), [&](const nlohmann::json& verb) {
      CHECK_FALSE(verb["text"].get<std::string>().empty());
      for (const auto& option : verb["options"]) {
        const std::string text = option["text"];
        const std::string value = option.value("value", "-");
        INFO(verb["path"] << " --" << option["name"] << ": " << text);
        CHECK_FALSE(text.empty());
        CHECK(text.find('\n') == std::string::npos);
        CHECK(text.back() != '.');
        CHECK((value != "TEXT" || text.find('\'') != std::string::npos));  // shown by example
        for (const char* vague : {"UINT", "INT", "FLOAT", "BOOLEAN", "ARG"}) CHECK(value != vague);
      }
    });
  }
}

TEST_CASE("cli: flags that mean the same are spelt the same in the three tools", "[cli][lint]") {
  std::map<std::string, std::string> kind;
  for (const std::string& tool : kTools) {
    each_verb(verb_tree(tool), [&](const nlohmann::json& verb) {
      for (const auto& option : verb["options"]) {
        const bool is_flag = option.value("value", "").empty();
        const std::string name = option["name"];
        INFO(verb["path"] << " --" << name);
        const std::string now = is_flag ? "flag" : "value";
        CHECK(kind.emplace(name, now).first->second == now);
      }
    });
  }
}

}  // namespace
}  // namespace rt::test

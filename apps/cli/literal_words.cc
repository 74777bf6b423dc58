#include "cli/literal_words.h"

#include <algorithm>

namespace rt::cli {
namespace {

constexpr char kMark = '\x1F';  // "unit separator": in no text that people type

}  // namespace

std::vector<std::string> words_to_parse(int argc, const char* const* argv,
                                        const std::vector<std::string>& verbs) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  const bool chosen = std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return std::find(verbs.begin(), verbs.end(), word) != verbs.end();
  });
  for (std::size_t i = 0; chosen && i < words.size(); ++i) {
    if (words[i].starts_with('[') && words[i].ends_with(']')) words[i] += kMark;
  }
  std::reverse(words.begin(), words.end());
  return words;
}

void take_literally(CLI::App* verb) {
  const CLI::Validator unmark(
      [](std::string& word) {
        if (word.ends_with(kMark)) word.pop_back();
        return std::string();
      },
      "");
  for (CLI::Option* option : verb->get_options(nullptr)) option->transform(unmark);
}

}  // namespace rt::cli

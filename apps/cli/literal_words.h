// Arguments that are data, such as JSON. CLI11 takes a word in brackets for a list of words
// wherever several may stand: [1,2] would arrive as two. Below chosen verbs, such words are marked
// before the parse, and every option of the verb takes the mark off again.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace rt::cli {

// The command line in the order in which CLI11 wants it: the last word first, without the tool's
// name. Marked if one of `verbs` is among the words.
std::vector<std::string> words_to_parse(int argc, const char* const* argv,
                                        const std::vector<std::string>& verbs);

// For each verb below those, when all of its options are declared.
void take_literally(CLI::App* verb);

}  // namespace rt::cli

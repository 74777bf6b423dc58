// What packages ship beside a tool, made from its verb tree, so that it cannot fall behind:
// completions of three shells, a man page, and the tree itself as JSON. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/verb_tree.h"

namespace rt::cli {

// what: bash, zsh, fish, man or json. Code::usage on another word.
Result<std::string> generate(std::string_view what, const VerbInfo& tool);

std::string bash_completion(const VerbInfo& tool);
std::string zsh_completion(const VerbInfo& tool);
std::string fish_completion(const VerbInfo& tool);
std::string man_page(const VerbInfo& tool, std::string_view version);  // troff, man(7) macros
std::string verb_tree_json(const VerbInfo& tool);

}  // namespace rt::cli

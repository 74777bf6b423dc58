// Changes of the contexts in a settings file: its text in, its new text out. Pure; any thread.
// A file with comments is refused: writing it anew would lose them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rt::rtctl {

// Each of `assignments` is "key=value"; "key=" takes the key away, a key given twice becomes a
// list, a dot steps into an object ("rtctl.subscribe.format=ndjson"). Makes the context if there is
// none, and selects it if it is the first. `text` may be empty: no file yet. Code::usage.
Result<std::string> set_context(std::string_view text, const std::string& name,
                                const std::vector<std::string>& assignments);
// "-": the one selected before.
Result<std::string> use_context(std::string_view text, const std::string& name);
Result<std::string> remove_context(std::string_view text, const std::string& name);

}  // namespace rt::rtctl

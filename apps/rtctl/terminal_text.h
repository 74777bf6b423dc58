// Text from strangers, made safe for a terminal: no control byte of theirs reaches it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rt::rtctl {

// Control characters (C0, DEL, C1) become \n, \t, \u001b and so on; everything else stays.
// `text` is UTF-8.
void append_visible(std::string& out, std::string_view text);

// append_visible of at most `max` characters; what is cut is counted: "abc… (+1200)".
void append_folded(std::string& out, std::string_view text, std::size_t max);

}  // namespace rt::rtctl

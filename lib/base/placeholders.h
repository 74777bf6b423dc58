// A text cut at its placeholders, once, so that filling it in later is appending. Pure; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rt {

struct TextPiece {
  std::string text;      // unless it is a placeholder
  std::size_t word = 0;  // which of the words it is, from 1; 0: text
};

// words: as they stand in the text, like "{topic}"; none is empty.
std::vector<TextPiece> cut_at_placeholders(std::string_view text,
                                           std::span<const std::string_view> words);

}  // namespace rt

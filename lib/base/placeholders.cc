#include "base/placeholders.h"

namespace rt {

std::vector<TextPiece> cut_at_placeholders(std::string_view text,
                                           std::span<const std::string_view> words) {
  std::vector<TextPiece> pieces;
  while (!text.empty()) {
    std::size_t first = text.size();
    std::size_t found = 0;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::size_t at = text.find(words[i]);
      if (at >= first) continue;
      first = at;
      found = i + 1;
    }
    if (first > 0) pieces.push_back({std::string(text.substr(0, first)), 0});
    if (found == 0) break;
    pieces.push_back({{}, found});
    text.remove_prefix(first + words[found - 1].size());
  }
  return pieces;
}

}  // namespace rt

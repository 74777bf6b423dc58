#include "base/position.h"

#include "base/text.h"

namespace rt {

void Position::write(char* out) const {
  write_hex(out, lsn, 16);
  out[16] = '-';
  write_hex(out + 17, index, 8);
}

std::string Position::text() const {
  std::string out(kTextSize, '0');
  write(out.data());
  return out;
}

std::optional<Position> Position::parse(std::string_view text) {
  if (text.size() != kTextSize || text[16] != '-') return std::nullopt;
  const auto lsn = parse_hex(text.substr(0, 16));
  const auto index = parse_hex(text.substr(17));
  if (!lsn || !index) return std::nullopt;
  return Position{*lsn, static_cast<std::uint32_t>(*index)};
}

}  // namespace rt

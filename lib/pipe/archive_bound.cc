#include "pipe/archive_bound.h"

#include <fmt/format.h>

#include "base/text.h"
#include "base/units.h"

namespace rt {

Result<ArchiveBound> ArchiveBound::parse(std::string_view text) {
  if (const auto id = Position::parse(text)) return ArchiveBound{*id, false};
  if (const auto lsn = parse_lsn(text)) return ArchiveBound{Position{*lsn, 0}, true};
  if (const auto time = parse_rfc3339(text)) return ArchiveBound{*time, false};
  return fail(Code::usage, fmt::format("\"{}\" is no place in a recording", text),
              "give an event id (000000014D7E3B28-00000002), an LSN (1/4D7E3B28) or a time "
              "(2026-03-29T00:30:00Z)");
}

bool ArchiveBound::is_reached_by(const archive::Entry& entry) const {
  if (const auto* position = std::get_if<Position>(&at)) return entry.position.lsn >= position->lsn;
  return entry.t_hi >= unix_us(std::get<WallTime>(at));
}

bool ArchiveBound::is_passed_by(const archive::Entry& entry) const {
  if (const auto* position = std::get_if<Position>(&at)) return entry.position.lsn > position->lsn;
  return entry.t_hi > unix_us(std::get<WallTime>(at));
}

}  // namespace rt

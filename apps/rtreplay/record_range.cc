#include "rtreplay/record_range.h"

namespace rt::rtreplay {

void RecordRange::declare(CLI::App* app, Options& options, Unit unit) {
  const std::string what = unit == Unit::record ? "row" : "transaction";
  app->add_option("--from", options.from,
                  "First " + what + ": an event id, an LSN, or a time (RFC 3339)")
      ->type_name("ID|LSN|TIME");
  app->add_option("--to", options.to, "Last " + what + ", included: an event id, an LSN, or a time")
      ->type_name("ID|LSN|TIME");
}

Result<RecordRange> RecordRange::parse(const Options& options, Unit unit) {
  RecordRange range;
  range.unit_ = unit;
  for (const auto& [text, bound] :
       {std::pair{&options.from, &range.from_}, std::pair{&options.to, &range.to_}}) {
    if (text->empty()) continue;
    ArchiveBound parsed = RT_TRY(ArchiveBound::parse(*text));
    if (auto* position = std::get_if<Position>(&parsed.at); position && unit == Unit::transaction) {
      position->index = 0;
      parsed.whole_transaction = true;
    }
    *bound = parsed;
  }
  return range;
}

Result<void> RecordRange::seek(archive::Reader& reader) const {
  if (!from_) return reader.rewind();
  if (const auto* position = std::get_if<Position>(&from_->at)) {
    RT_TRY(reader.seek(*position));
  } else {
    RT_TRY(reader.seek(std::get<WallTime>(from_->at)));
  }
  return {};
}

bool RecordRange::is_past(const archive::Entry& entry) const {
  if (!to_ || entry.record.prelude) return false;
  if (const auto* position = std::get_if<Position>(&to_->at)) {
    const Position last =
        to_->whole_transaction ? Position{position->lsn, Position::kEnd} : *position;
    return entry.position > last;
  }
  return entry.t_hi > unix_us(std::get<WallTime>(to_->at));
}

}  // namespace rt::rtreplay

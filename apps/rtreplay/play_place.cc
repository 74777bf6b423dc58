#include "rtreplay/play_place.h"

#include <memory>

#include "archive/stream_tracker.h"
#include "base/text.h"
#include "rtreplay/record_filter.h"

namespace rt::rtreplay {
namespace {

bool is_condition(std::string_view text) {
  return text.find_first_of("=<>~") != text.npos || text.find(" is ") != text.npos;
}

bool matches(RecordFilter& filter, const RecordView& record) {
  if (record.kind != RecordKind::wal) return false;
  const char letter = archive::wal_letter(record.body);
  const std::uint64_t undecided = filter.undecided();
  const RecordFilter::Verdict verdict = filter.judge(record);
  if (letter != 'I' && letter != 'U' && letter != 'D') return false;
  if (filter.undecided() != undecided) return false;
  if (verdict == RecordFilter::Verdict::keep) return true;
  // A row that leaves what the condition means has become a delete.
  return verdict == RecordFilter::Verdict::changed &&
         archive::wal_letter(filter.parts().front().body) == 'I';
}

Result<RowMatch> parse_row(std::string_view text) {
  text = trim(text);
  const std::string_view name = text.substr(0, text.find_first_of(" \t=!<>~"));
  RecordFilter::Options options;
  if (const auto dot = name.rfind('.'); dot != name.npos) {
    options.tables.emplace_back(name.substr(0, dot));
    text.remove_prefix(dot + 1);
  }
  options.conditions.emplace_back(text);
  auto filter = std::make_shared<RecordFilter>(RT_TRY(RecordFilter::parse(options)));
  return RowMatch([filter](const RecordView& record) { return matches(*filter, record); });
}

}  // namespace

Result<PlayPlace> PlayPlace::parse(const std::string& text) {
  PlayPlace place;
  auto bound = ArchiveBound::parse(text);
  if (bound) {
    place.bound = *bound;
  } else if (is_condition(text)) {
    place.row = RT_TRY(parse_row(text));
  } else {
    return fail(std::move(bound).error().with_hint(
        "give an event id (000000014D7E3B28-00000002), an LSN (1/4D7E3B28), a time "
        "(2026-03-29T00:30:00Z) or a row ('orders.status = failed')"));
  }
  return place;
}

}  // namespace rt::rtreplay

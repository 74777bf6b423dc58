// Reader: which transactions have no Commit, so that committed_only can leave them out.
#include "archive/reader.h"

namespace rt::archive {

// Where the transaction begins that is open at the start of `index`.
Result<std::optional<Reader::Place>> Reader::begin_before(std::size_t index) {
  while (index > 0) {
    --index;
    const BlockEntry& entry = block(index);
    constexpr std::uint16_t kInside = kStartsInTransaction | kEndsInTransaction;
    const bool all_inside =
        (entry.flags & (kInside | kHasAbandon)) == kInside && entry.commits == 0;
    if (all_inside && index > 0) continue;
    const BlockContent content = RT_TRY(read_block(index));
    std::optional<Place> found;
    const char* start = content.raw.data();
    content.each([&](const RecordView& record) {
      if (!record.prelude && record.kind == RecordKind::wal && wal_letter(record.body) == 'B') {
        found = Place{index, static_cast<std::size_t>(start - content.raw.data())};
      }
      start = record.body.data() + record.body.size();
    });
    return found;
  }
  return std::optional<Place>();
}

Result<void> Reader::find_abandoned_in(std::size_t index) {
  const BlockContent content = RT_TRY(read_block(index));
  std::optional<Place> begin;
  if ((content.header.flags & kStartsInTransaction) != 0) begin = RT_TRY(begin_before(index));
  const char* start = content.raw.data();
  content.each([&](const RecordView& record) {
    const Place here{index, static_cast<std::size_t>(start - content.raw.data())};
    start = record.body.data() + record.body.size();
    if (record.prelude) return;
    const char letter = record.kind == RecordKind::wal ? wal_letter(record.body) : '\0';
    if (letter == 'B') begin = here;
    if (record.kind == RecordKind::abandon && begin) abandoned_.push_back({*begin, here});
    if (letter == 'C' || record.kind == RecordKind::abandon) begin.reset();
  });
  return {};
}

Result<void> Reader::find_unfinished() {
  if (!options_.committed_only) return {};
  abandoned_.clear();
  unfinished_.reset();
  for (std::size_t i = 0; i < block_count(); ++i) {
    if ((block(i).flags & kHasAbandon) == 0) continue;
    const auto found = find_abandoned_in(i);
    if (!found && found.error().code != Code::integrity) return found;  // next() reports damage
  }
  if (block_count() > 0 && (block(block_count() - 1).flags & kEndsInTransaction) != 0) {
    const auto place = begin_before(block_count());
    if (place)
      unfinished_ = *place;
    else if (place.error().code != Code::integrity)
      return fail(place.error());
  }
  return {};
}

}  // namespace rt::archive

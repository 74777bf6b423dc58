// Reader: finding a position or a time. O(log blocks), then one block, plus one header for each
// block that a transaction spans before the position.
#include <algorithm>

#include "archive/reader.h"

namespace rt::archive {
namespace {

// Index of the first block for which `reached` holds; it holds for all after it.
template <typename Reached>
std::size_t first_block(std::size_t count, Reached&& reached) {
  std::size_t low = 0;
  std::size_t high = count;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (reached(middle))
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

}  // namespace

// The transaction open at the start of the block ends there with an ABANDON.
Result<bool> Reader::starts_abandoned(std::size_t index) {
  if ((block(index).flags & kHasAbandon) == 0) return false;
  const BlockContent content = RT_TRY(read_block(index));
  char first = '\0';
  content.each([&](const RecordView& record) {
    if (first != '\0' || record.prelude) return;
    if (record.kind == RecordKind::abandon) first = 'A';
    if (record.kind == RecordKind::wal && wal_letter(record.body) == 'C') first = 'C';
  });
  return first == 'A';
}

Result<std::size_t> Reader::block_for(Position position) {
  std::size_t index = first_block(
      block_count(), [&](std::size_t i) { return block(i).last_commit_lsn >= position.lsn; });
  if (index == block_count()) --index;
  for (; index > 0; --index) {
    if ((block(index).flags & kStartsInTransaction) == 0) break;
    const BlockHeader header = RT_TRY(header_of(index));
    const bool stands_before = header.open_lsn > position.lsn ||
                               (header.open_lsn == position.lsn &&
                                (position.index == 0 || position.index < header.open_rows));
    if (!stands_before || RT_TRY(starts_abandoned(index))) break;
  }
  return index;
}

template <typename Reached>
Result<bool> Reader::land(std::size_t index, Reached&& reached) {
  for (; index < block_count(); ++index) {
    park_at(index);
    if (const auto loaded = load_block(index); !loaded) {
      if (loaded.error().code != Code::integrity) return fail(loaded.error());
      return true;  // next() meets the damage here and says so
    }
    StreamTracker tracker = tracker_;
    RecordBase base = base_;
    RecordView record;
    const char* at = at_;
    const char* last_begin = nullptr;
    const char* landing = nullptr;
    const char* begin_of_landing = nullptr;
    bool began_before = false;
    bool landed_in_open = false;
    for (const char* start = at; read_record(at, end_, base, record) == ReadRecord::record;
         start = at) {
      const bool was_open = tracker.open();
      tracker.take(record);
      if (record.prelude) continue;
      const bool begins = !was_open && tracker.open();
      if (begins) last_begin = start;
      if (record.kind == RecordKind::abandon && landed_in_open) landing = nullptr;
      if (!tracker.open()) landed_in_open = false;
      if (landing != nullptr || record.kind == RecordKind::abandon) continue;
      if (!reached(tracker)) continue;
      landing = start;
      landed_in_open = tracker.open();
      const bool inside = was_open && !begins;
      begin_of_landing = inside ? last_begin : nullptr;
      began_before = inside && last_begin == nullptr;
    }
    if (landing == nullptr) continue;
    skip_until_ = landing;
    keep_begin_ = begin_of_landing;
    keep_prelude_begin_ = began_before;
    return true;
  }
  park_at(block_count());
  return false;
}

Result<bool> Reader::seek(Position position) {
  if (block_count() == 0) return false;
  const std::size_t index = RT_TRY(block_for(position));
  return land(index, [&](const StreamTracker& at) { return at.last_position() >= position; });
}

Result<bool> Reader::seek(WallTime time) {
  const std::int64_t us = unix_us(time);
  const std::size_t index =
      first_block(block_count(), [&](std::size_t i) { return block(i).t_hi >= us; });
  return land(index, [&](const StreamTracker& at) { return at.t_hi() >= us; });
}

}  // namespace rt::archive

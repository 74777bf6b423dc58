// Brings one subscriber from where it stands to the live edge: the current rows that match (an
// `initial` each) and then the events that followed, in chunks, as fast as the subscriber takes
// them. Nothing but slot numbers is held for it, however large the set.
//
// While rows are handed out in several chunks the world goes on. Each chunk remembers the position
// at which it was made; an event of a run whose chunk is newer than the event is already in that
// row and is not repeated. Until the last chunk's position is passed, frames carry ids that no
// position has (LSN 0): whoever is cut off there and resumes from such an id gets a fresh set. One
// thread (the hub's).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/position.h"
#include "server/archive_replay.h"
#include "server/history_ring.h"
#include "server/run_filter.h"
#include "server/run_go_frames.h"
#include "server/run_store.h"

namespace rt::server {

class CatchUp {
 public:
  // Large enough that a usual set is one chunk, small enough that a connection's share stays small.
  static constexpr std::size_t kChunkBytes = 64 * 1024;

  // From the current rows (slots of RunStore::matching), at `position`; `serial` is the ring's end.
  static CatchUp from_rows(std::shared_ptr<const RunFilter> filter,
                           std::vector<std::uint32_t> slots, Position position,
                           std::uint64_t serial);
  // From what the subscriber has seen; `serial` is the first event after it.
  static CatchUp from_event(std::shared_ptr<const RunFilter> filter, std::uint64_t serial);
  // From an older one, through the archive.
  static CatchUp from_archive(std::shared_ptr<const RunFilter> filter, ArchiveReplay archive);

  enum class Step : std::uint8_t {
    more,     // call again when the chunk has been taken
    live,     // the subscriber stands at the live edge
    too_old,  // the history no longer reaches back: start anew
  };
  // Appends up to about kChunkBytes of frames. `position`: of the hub, now. go: rows are written by
  // it, and ids are its numbers, which nobody resumes from; or null.
  Step next(std::string& out, const RunStore& store, const HistoryRing& ring, Position position,
            const RunGoFrames* go = nullptr);

  const std::shared_ptr<const RunFilter>& filter() const { return filter_; }

 private:
  struct Chunk {
    std::uint32_t first_slot_index;  // into slots_
    Position made_at;
  };

  Step add_archived(std::string& out, const HistoryRing& ring);
  bool add_rows(std::string& out, const RunStore& store, Position position, const RunGoFrames* go);
  Step add_events(std::string& out, const HistoryRing& ring);
  bool is_in_row(std::uint32_t slot, Position position) const;
  void add_event(std::string& out, const EventBlock& event);
  void add_frame(std::string& out, std::string_view frame, Position position);
  bool is_settled(Position position) const { return settled_ || position > settled_at_; }

  std::shared_ptr<const RunFilter> filter_;
  std::optional<ArchiveReplay> archive_;
  std::vector<std::uint32_t> slots_;  // ascending; emptied when no longer needed
  std::size_t next_slot_ = 0;
  std::vector<Chunk> chunks_;
  std::uint64_t next_serial_ = 0;  // of the ring: the first event not yet dealt with
  Position started_at_;            // position when the rows were chosen
  Position settled_at_;            // position of the newest chunk of rows
  bool settled_ = false;           // frames carry real ids
  std::uint32_t placeholder_ = 0;
  std::string held_;  // the last row, kept back: if nothing follows, its id is the real one
  OwnedRunFacts scratch_;
};

}  // namespace rt::server

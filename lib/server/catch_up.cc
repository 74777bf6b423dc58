#include "server/catch_up.h"

#include <algorithm>

#include "server/run_encoder.h"

namespace rt::server {

CatchUp CatchUp::from_rows(std::shared_ptr<const RunFilter> filter,
                           std::vector<std::uint32_t> slots, Position position,
                           std::uint64_t serial) {
  CatchUp catch_up;
  catch_up.filter_ = std::move(filter);
  catch_up.slots_ = std::move(slots);
  catch_up.next_serial_ = serial;
  catch_up.started_at_ = position;
  catch_up.settled_at_ = position;
  catch_up.settled_ = catch_up.slots_.empty();
  return catch_up;
}

CatchUp CatchUp::from_event(std::shared_ptr<const RunFilter> filter, std::uint64_t serial) {
  CatchUp catch_up;
  catch_up.filter_ = std::move(filter);
  catch_up.next_serial_ = serial;
  catch_up.settled_ = true;
  return catch_up;
}

CatchUp CatchUp::from_archive(std::shared_ptr<const RunFilter> filter, ArchiveReplay archive) {
  CatchUp catch_up;
  catch_up.filter_ = std::move(filter);
  catch_up.archive_ = std::move(archive);
  catch_up.settled_ = true;
  return catch_up;
}

CatchUp::Step CatchUp::next(std::string& out, const RunStore& store, const HistoryRing& ring,
                            Position position, const RunGoFrames* go) {
  if (archive_) {
    const Step step = add_archived(out, ring);
    if (step != Step::live) return step;
  }
  if (next_slot_ < slots_.size() && !add_rows(out, store, position, go)) return Step::more;
  return add_events(out, ring);
}

// Live here means: the ring takes over.
CatchUp::Step CatchUp::add_archived(std::string& out, const HistoryRing& ring) {
  switch (archive_->next(out, *filter_, kChunkBytes)) {
    case ArchiveReplay::Step::more:
      return Step::more;
    case ArchiveReplay::Step::broken:
      return Step::too_old;
    case ArchiveReplay::Step::end:
      break;
  }
  // What the archive does not hold yet is in the ring, unless more came at once than the ring
  // keeps.
  if (archive_->position() < ring.floor()) return Step::too_old;
  next_serial_ = ring.serial_after(archive_->position());
  archive_.reset();
  return Step::live;
}

// True when the last row has been handed out.
bool CatchUp::add_rows(std::string& out, const RunStore& store, Position position,
                       const RunGoFrames* go) {
  chunks_.push_back({static_cast<std::uint32_t>(next_slot_), position});
  settled_at_ = position;
  while (next_slot_ < slots_.size()) {
    if (out.size() >= kChunkBytes) return false;
    const std::uint32_t slot = slots_[next_slot_++];
    const RunStore::Row row = store.row(slot);
    if (row.table == nullptr) continue;
    row.table->read_facts(scratch_, row.tuple);
    if (!filter_->matches(scratch_.view())) continue;
    if (go != nullptr) {
      go->append_initial(out, *row.table, row.tuple, slot);
      continue;
    }
    out.append(held_);
    held_.clear();
    append_frame_head(held_, {0, placeholder_++}, "initial");
    row.table->append_row(held_, row.tuple);
    held_.append(kFrameEnd);
  }
  // Nothing happened while the rows were handed out: the last one stands for the whole set.
  settled_ = go != nullptr || settled_at_ == started_at_;
  if (settled_ && !held_.empty()) started_at_.write(held_.data() + kFrameIdOffset);
  out.append(held_);
  held_ = {};
  return true;
}

bool CatchUp::is_in_row(std::uint32_t slot, Position position) const {
  const auto found = std::lower_bound(slots_.begin(), slots_.end(), slot);
  if (found == slots_.end() || *found != slot) return false;
  const auto index = static_cast<std::uint32_t>(found - slots_.begin());
  const auto after = std::upper_bound(
      chunks_.begin(), chunks_.end(), index,
      [](std::uint32_t i, const Chunk& chunk) { return i < chunk.first_slot_index; });
  return position <= std::prev(after)->made_at;
}

void CatchUp::add_frame(std::string& out, std::string_view frame, Position position) {
  const std::size_t at = out.size();
  out.append(frame);
  if (!is_settled(position)) Position{0, placeholder_++}.write(out.data() + at + kFrameIdOffset);
}

void CatchUp::add_event(std::string& out, const EventBlock& event) {
  if (is_in_row(event.content().run, event.position())) return;
  const std::string_view frame = event.frame_for(*filter_);
  if (!frame.empty()) add_frame(out, frame, event.position());
}

CatchUp::Step CatchUp::add_events(std::string& out, const HistoryRing& ring) {
  if (next_serial_ < ring.first_serial()) return Step::too_old;
  if (filter_->run()) {
    for (const std::uint64_t serial : ring.of_run(filter_->keys().front(), next_serial_)) {
      next_serial_ = serial;
      if (out.size() >= kChunkBytes) return Step::more;
      add_event(out, ring.at(serial));
    }
    next_serial_ = ring.end_serial();
  }
  for (; next_serial_ < ring.end_serial(); ++next_serial_) {
    if (out.size() >= kChunkBytes) return Step::more;
    add_event(out, ring.at(next_serial_));
  }
  if (!settled_) {
    // An id without data: the subscriber can resume from here, and sees no event.
    settled_ = true;
    out.append("id: ").append(settled_at_.text()).append(kFrameEnd);
  }
  return Step::live;
}

}  // namespace rt::server

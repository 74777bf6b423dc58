#include "server/run_encoder.h"

#include <algorithm>

namespace rt::server {

void append_frame_head(std::string& out, const Position& position, std::string_view name) {
  out.append("id: ");
  const std::size_t at = out.size();
  out.resize(at + Position::kTextSize);
  position.write(out.data() + at);
  out.append("\nevent: ").append(name).append("\ndata: ");
}

void RunEncoder::read(const RunTable& table, std::optional<pgoutput::TupleView> before,
                      std::optional<pgoutput::TupleView> after) {
  table_ = &table;
  before_ = before;
  after_ = after;
  if (before) table.read_facts(facts_before_, *before);
  if (after) table.read_facts(facts_after_, *after);
}

EventRef RunEncoder::encode(const At& at) {
  keys_.assign(1, kEveryRunKey);
  if (before_) append_event_keys(keys_, facts_before_.view());
  if (after_) append_event_keys(keys_, facts_after_.view());
  std::sort(keys_.begin(), keys_.end());
  keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());

  // A filter can only begin or stop to match when what filters ask about has changed.
  const bool membership_changed =
      !before_ || !after_ || !same_facts(facts_before_.view(), facts_after_.view());
  if (go_ == nullptr) {
    write_frames(at, membership_changed);
  } else {
    write_go_frames(at, membership_changed);
  }
  EventBlock::Content content;
  content.position = at.position;
  content.commit_us = at.commit_us;
  content.run = at.run;
  if (before_) content.before = facts_before_.view();
  if (after_) content.after = facts_after_.view();
  content.keys = keys_;
  content.initial = initial_;
  content.delta = delta_;
  content.left = left_;
  return EventRef::adopt(EventBlock::create(content));
}

void RunEncoder::write_frames(const At& at, bool membership_changed) {
  initial_.clear();
  delta_.clear();
  left_.clear();
  if (after_ && membership_changed) {
    append_frame_head(initial_, at.frame_id, "initial");
    table_->append_row(initial_, *after_);
    initial_.append(kFrameEnd);
  }
  if (before_ && after_) {
    append_frame_head(delta_, at.frame_id, "delta");
    table_->append_changes(delta_, *before_, *after_);
    delta_.append(kFrameEnd);
  }
  if (before_ && membership_changed) {
    append_frame_head(left_, at.frame_id, "delta");
    table_->append_departure(left_, *before_, /*deleted=*/!after_);
    left_.append(kFrameEnd);
  }
}

// A change is a delta to whom the run matches now, and a deletion to whom it matched; who sees it
// stop to match is not told, as there.
void RunEncoder::write_go_frames(const At& at, bool membership_changed) {
  initial_.clear();
  delta_.clear();
  left_.clear();
  go_->number(at.run);
  if (!after_) {
    go_->append_deletion(left_, *table_, *before_, at.run);
    return;
  }
  if (before_) go_->append_delta(delta_, *table_, *after_, at.run);
  if (membership_changed) go_->append_delta(initial_, *table_, *after_, at.run);
}

}  // namespace rt::server

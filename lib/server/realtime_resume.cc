// Going on after a Last-Event-ID, on a bus with a past: exactly what followed it, from the ring if
// it is recent, else read from the bus. The subscriber is live from the turn in which its text is
// complete: the text ends with what was told last, and what is told next, it is told live.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proto/sse_writer.h"
#include "server/realtime_board.h"
#include "server/realtime_wire.h"

namespace rt::server {
namespace {

// Of a text read from the bus. A longer past comes in parts: the stream ends after each, and the
// client comes again for the next. It bounds what a connection may leave unread.
constexpr std::size_t kPartBytesMax = std::size_t{1} << 20;

// A slot has one tenant at a time.
std::uint64_t key_of(const Asker& subscriber) {
  return std::uint64_t{subscriber.shard} << 32U | subscriber.connection.slot;
}

void append_comment(std::string& text, std::string_view kind, std::string_view what) {
  sse::append_comment(text, fmt::format("{}: {}", kind, what));
}

}  // namespace

struct RealtimeBoard::Resume {
  Asker subscriber;
  std::vector<std::uint64_t> keys;
  Hash128 target;
  RedisEntryId after;
  std::string text;      // that it will be told
  bool checked = false;  // the bus was asked whether all that follows `after` is there
  bool gone = false;     // nobody is there to be told
  // Of the reading errand.
  RedisEntryId until;
  std::optional<RedisEntryId> cut;  // the text is full: it ends with this entry
  bool missed = false;              // entries are gone
  Result<void> outcome;

  bool wants(const RealtimeReceived& event) const {
    const auto has = [this](std::uint64_t key) {
      return std::find(keys.begin(), keys.end(), key) != keys.end();
    };
    const Hash128 of_event = realtime_target(event.user_id);
    return (has(realtime_all_types_key()) || has(realtime_type_key(event.type))) &&
           (of_event == Hash128() || of_event == target);
  }
};

void RealtimeBoard::resume(const Asker& subscriber, const Opening& opening, std::string text) {
  const auto after = RedisEntryId::parse(opening.last_event_id);
  if (!after) {
    RealtimeFigures::add(figures_->not_resumed);
    append_comment(text, "gap",
                   fmt::format("\"{}\" is no id of this stream: what was missed is not known",
                               opening.last_event_id));
    return port_->tell(subscriber, std::move(text));
  }
  auto resuming = std::make_shared<Resume>();
  resuming->subscriber = subscriber;
  resuming->keys = opening.keys;
  resuming->target = opening.target;
  resuming->after = *after;
  resuming->text = std::move(text);
  look_at_link();
  resuming_[key_of(subscriber)] = resuming;
  advance(resuming);
}

void RealtimeBoard::advance(const Resuming& resuming) {
  Resume& resume = *resuming;
  if (resume.gone) return;
  if (!heard_) {
    const std::string reason = bus_->status().reason;
    return reason.empty() ? wait(resuming) : give_up(resume, reason);
  }
  const bool ahead = resume.after > *heard_;  // another instance has told it what is to come here
  if (!ahead && ring_.covers(resume.after)) return go_live(resume);
  if (!resume.checked) return read_past(resuming);
  if (ahead) return wait(resuming);
  if (resume.after == *heard_) return go_live(resume);
  read_past(resuming);
}

void RealtimeBoard::read_past(const Resuming& resuming) {
  resuming->until = *heard_;
  Errand errand;
  errand.work = [bus = bus_, resuming] {
    Resume& resume = *resuming;
    RealtimeIntake intake({}, false);
    resume.outcome = bus->read_past(resume.after, resume.until, [&](const RecordView& record) {
      if (record.kind == RecordKind::gap) {
        resume.missed = true;
        append_comment(resume.text, "gap", record.body);
      }
      const auto heard = intake.take(record);
      if (heard && heard->entry && resume.wants(heard->event)) {
        resume.text.append(realtime_frame(heard->event.json, heard->entry));
      }
      if (resume.text.size() < kPartBytesMax) return true;
      resume.cut = intake.last_entry();
      return false;
    });
  };
  errand.done = [this, resuming] { finish_reading(resuming); };
  if (!reading_->submit(std::move(errand))) give_up(*resuming, "too many ask for the past");
}

void RealtimeBoard::finish_reading(const Resuming& resuming) {
  Resume& resume = *resuming;
  if (resume.gone) return;
  if (!resume.outcome) return give_up(resume, resume.outcome.error().text);
  RealtimeFigures::add(figures_->resumed_by_reading);
  if (resume.cut && *resume.cut < resume.until) {
    append_comment(resume.text, "more follows", "come again");
    resume.text.append("id: ").append(resume.cut->text()).append("\n\n");
    return end(resume, false);
  }
  resume.checked = true;
  if (resume.missed || resume.after < resume.until) resume.after = resume.until;
  advance(resuming);
}

void RealtimeBoard::go_live(Resume& resume) {
  ring_.append_frames(resume.text, resume.after, resume.keys, resume.target);
  RealtimeFigures::add(resume.missed ? figures_->not_resumed : figures_->resumed);
  end(resume, true);
}

// The client keeps its id and comes again.
void RealtimeBoard::give_up(Resume& resume, std::string_view reason) {
  append_comment(resume.text, "cannot go on now, come again",
                 fmt::format("after {}: {}", resume.after.text(), reason));
  end(resume, false);
}

void RealtimeBoard::end(Resume& resume, bool live) {
  port_->tell(resume.subscriber, std::move(resume.text), !live);
  resuming_.erase(key_of(resume.subscriber));
}

void RealtimeBoard::wait(const Resuming& resuming) {
  if (waiting_.size() == kWaitingMax) return give_up(*resuming, "too many wait");
  waiting_.push_back(resuming);
}

void RealtimeBoard::advance_waiting() {
  for (const Resuming& resuming : std::exchange(waiting_, {})) advance(resuming);
}

void RealtimeBoard::forget(const Asker& subscriber) {
  const auto found = resuming_.find(key_of(subscriber));
  if (found == resuming_.end()) return;
  found->second->gone = true;
  std::erase(waiting_, found->second);
  resuming_.erase(found);
}

}  // namespace rt::server

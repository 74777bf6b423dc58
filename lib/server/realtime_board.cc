#include "server/realtime_board.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "proto/realtime_event.h"
#include "proto/sse_writer.h"
#include "server/realtime_wire.h"

namespace rt::server {
namespace {

Answer json_answer(int status, std::string body) {
  return {.status = status, .body = std::move(body), .content_type = "application/json"};
}

}  // namespace

struct RealtimeBoard::Publication {
  Asker asker;
  std::string type;
  std::string user;
  std::string json;
  std::string id;
  std::uint64_t number = 0;
  Result<void> outcome;
};

RealtimeBoard::RealtimeBoard(std::shared_ptr<RealtimeBus> bus, std::string origin,
                             std::shared_ptr<RealtimeIntake> intake,
                             std::shared_ptr<RealtimeFigures> figures)
    : bus_(std::move(bus)),
      origin_(std::move(origin)),
      intake_(std::move(intake)),
      figures_(std::move(figures)) {}

// Errands that wait for the transport are called off, so that ending them takes no time.
RealtimeBoard::~RealtimeBoard() {
  bus_->on_change({});
  bus_->close();
}

Result<void> RealtimeBoard::open(BoardPort& port) {
  port_ = &port;
  publishing_ = RT_TRY(Errands::start(port.wakeup()));
  if (bus_->has_past()) reading_ = RT_TRY(Errands::start(port.wakeup()));
  bus_->on_change([this] {
    link_changed_ = true;
    port_->wakeup().ring();
  });
  return {};
}

void RealtimeBoard::join(const Asker& subscriber, const Opening& opening) {
  RealtimeFigures::add(figures_->subscribers);
  std::string text = realtime_connected_frame(port_->now());
  if (opening.last_event_id.empty()) return port_->tell(subscriber, std::move(text));
  if (bus_->has_past()) return resume(subscriber, opening, std::move(text));
  RealtimeFigures::add(figures_->not_resumed);
  sse::append_comment(text, fmt::format("gap: this transport keeps no past: what followed {} until "
                                        "now is lost for this subscriber",
                                        opening.last_event_id));
  port_->tell(subscriber, std::move(text));
}

void RealtimeBoard::part(const Asker& subscriber, const Hash128&, bool) {
  figures_->subscribers.fetch_sub(1, std::memory_order_relaxed);
  forget(subscriber);
}

void RealtimeBoard::ask(const Asker& asker, Question question) {
  const std::size_t user = question.name.find('\0') + 1;
  Publication publication;
  publication.asker = asker;
  publication.type = question.name.substr(0, user - 1);
  publication.user = question.name.substr(user);
  publication.number = ++last_number_;
  publication.id = fmt::format("{}-{}", origin_, publication.number);
  publication.json = std::move(question.text);
  stamp_realtime_event(publication.json, {port_->now(), publication.id, origin_});
  publish(std::move(publication));
}

void RealtimeBoard::publish(Publication publication) {
  if (publication.json.size() > bus_->event_bytes_max()) {
    return port_->answer(publication.asker,
                         json_answer(413, realtime_error_json("the event is too large for the "
                                                              "transport")));
  }
  auto shared = std::make_shared<Publication>(std::move(publication));
  Errand errand;
  errand.work = [bus = bus_, shared] {
    shared->outcome = bus->publish(shared->type, shared->json);
  };
  errand.done = [this, shared] { finish(*shared); };
  if (!publishing_->submit(std::move(errand))) {
    RealtimeFigures::add(figures_->not_published);
    return port_->answer(shared->asker,
                         json_answer(503, realtime_error_json("too many events are waiting for "
                                                              "the transport")));
  }
  if (!bus_->has_past()) tell(shared->type, shared->user, shared->json, std::nullopt);
}

// The transport has taken it, or has not.
void RealtimeBoard::finish(const Publication& publication) {
  if (publication.outcome) {
    RealtimeFigures::add(figures_->published);
    last_taken_ = publication.number;
    return port_->answer(publication.asker,
                         json_answer(200, realtime_published_json(publication.id)));
  }
  RealtimeFigures::add(figures_->not_published);
  // Without an id of the stream's: whoever resumes is owed what is in the stream, and no more.
  if (bus_->has_past() && intake_->tell(publication.id)) {
    tell(publication.type, publication.user, publication.json, std::nullopt);
  }
  port_->answer(
      publication.asker,
      json_answer(503, realtime_local_only_json(publication.id, publication.outcome.error().text)));
}

void RealtimeBoard::hear(const RecordView& record) {
  look_at_link();
  if (record.kind == RecordKind::gap) return tell_gap(record.body);
  const auto heard = intake_->take(record);
  if (intake_->last_entry() && intake_->last_entry() != heard_) {
    heard_ = intake_->last_entry();
    heard_more_ = true;
  }
  if (heard) note_own(heard->event);
  if (heard) tell(heard->event.type, heard->event.user_id, heard->event.json, heard->entry);
}

void RealtimeBoard::note_own(const RealtimeReceived& event) {
  if (event.origin != origin_ || event.id.size() <= origin_.size()) return;
  const auto number = parse_decimal(std::string_view(event.id).substr(origin_.size() + 1));
  last_back_ = std::max(last_back_, number.value_or(0));
}

// A transport that is away brings nothing back; it keeps what it took for whoever resumes.
bool RealtimeBoard::drain() {
  if (publishing_->outstanding() > 0) return false;
  return !bus_->has_past() || last_back_ >= last_taken_ || !bus_->status().connected;
}

void RealtimeBoard::tell(std::string_view type, std::string_view user, std::string_view json,
                         const std::optional<RedisEntryId>& entry) {
  const std::string frame = realtime_frame(json, entry);
  const std::array<std::uint64_t, 2> keys{realtime_type_key(type), realtime_all_types_key()};
  EventBlock::Content content;
  content.surface = Surface::realtime;
  content.keys = keys;
  content.target = realtime_target(user);
  content.frame = frame;
  const EventRef event = EventRef::adopt(EventBlock::create(content));
  if (entry) ring_.put(*entry, event);
  port_->send(event);
}

void RealtimeBoard::tell_gap(std::string_view reason) {
  RealtimeFigures::add(figures_->gaps);
  ring_.break_off();
  std::string frame;
  sse::append_comment(frame, fmt::format("gap: {}", reason));
  const std::array<std::uint64_t, 1> keys{realtime_everyone_key()};
  EventBlock::Content content;
  content.surface = Surface::realtime;
  content.keys = keys;
  content.frame = frame;
  port_->send(EventRef::adopt(EventBlock::create(content)));
}

bool RealtimeBoard::turn() {
  publishing_->finish();
  if (reading_ != nullptr) reading_->finish();
  look_at_link();
  if (!waiting_.empty() && std::exchange(heard_more_, false)) advance_waiting();
  return false;
}

void RealtimeBoard::look_at_link() {
  if (!link_changed_.exchange(false)) return;
  const RealtimeBusStatus status = bus_->status();
  if (!was_connected_ && status.begun) {
    heard_ = status.begun;
    // An empty stream may be a new one: whoever has an id of the former is to learn of it.
    if (*heard_ != RedisEntryId()) ring_.begin_after(*heard_);
  }
  if (!was_connected_ && !status.reason.empty()) was_away_ = true;
  if (!was_connected_ && status.connected) {
    was_connected_ = true;
    if (was_away_) tell_gap("the transport was away until now: events of other instances are lost");
  }
  heard_more_ = true;
}

}  // namespace rt::server

#include "rtreplay/delivery_judge.h"

#include <algorithm>
#include <optional>

#include "archive/frames.h"

namespace rt::rtreplay {
namespace {

std::uint64_t match_key(const std::string& id, const EventFields& fields) {
  return id.empty() ? hash_of(fields) : archive::hash_bytes(id, 1);
}

bool same_name(const EventFields& a, const EventFields& b) {
  const auto name = [](const EventFields& fields) {
    const auto at =
        std::lower_bound(fields.begin(), fields.end(), EventField{event_name_field(), 0});
    return at != fields.end() && at->name == event_name_field() ? at->value : 0;
  };
  return name(a) == name(b);
}

bool body_agrees(const EventFields& received, const ExpectedEvent& expected) {
  if (expected.body == ExpectedEvent::Body::any) return true;
  if (expected.body == ExpectedEvent::Body::exact) return received == expected.fields;
  return agrees(received, expected.fields);
}

}  // namespace

bool Delivery::violated() const {
  return std::any_of(faults.begin(), faults.end(), [](std::uint64_t n) { return n > 0; });
}

DeliveryJudge::DeliveryJudge(Next next, Options options)
    : next_(std::move(next)), options_(std::move(options)) {}

void DeliveryJudge::note(Fault fault, const std::string& id, std::size_t line) {
  const auto at = static_cast<std::size_t>(fault);
  if (found_.faults[at]++ == 0) found_.first[at] = {id, line};
}

// An item, its places in both indexes (a node and its share of the buckets), and what it points to.
std::size_t DeliveryJudge::bytes_of(const ExpectedEvent& event) {
  constexpr std::size_t kIndexed = 2 * 48;
  return sizeof(Item) + kIndexed + event.id.capacity() +
         event.fields.capacity() * sizeof(EventField);
}

// Half of the window is for what comes late.
bool DeliveryJudge::looks_far() const {
  return end() - front_ >= options_.window / 2 || held_bytes_ >= options_.bytes_max / 2;
}

// False at the end of what is expected.
Result<bool> DeliveryJudge::load() {
  if (ended_) return false;
  ExpectedEvent event;
  if (!RT_TRY(next_(event))) {
    ended_ = true;
    return false;
  }
  if (items_.size() >= options_.window) drop_oldest();
  while (!items_.empty() && held_bytes_ >= options_.bytes_max) drop_oldest();
  if (first_id_.empty()) first_id_ = event.id;
  if (!event.id.empty()) last_id_ = event.id;
  if (event.required) ++found_.expected;
  index_.emplace(match_key(event.id, event.fields), end());
  event.fields.shrink_to_fit();
  items_.push_back({std::move(event), false, false});
  held_bytes_ += bytes_of(items_.back().event);
  return true;
}

// Nothing that can still come would change what is said of it.
void DeliveryJudge::settle(const Item& passed) {
  if (passed.received || !passed.event.required) return;
  if (passed.excused) {
    ++found_.announced;
  } else {
    note(Fault::missing, passed.event.id, 0);
  }
}

void DeliveryJudge::stay_behind(const ExpectedEvent& event) {
  if (event.required && found_.behind++ == 0) found_.behind_from = event.id;
}

void DeliveryJudge::drop_oldest() {
  if (begin_ == front_) pass_over(front_++, excuse_);
  const Item& oldest = items_.front();
  if (!any_matched_ && oldest.event.required && !oldest.excused) ++found_.missing_at_start;
  settle(oldest);
  const auto range = index_.equal_range(match_key(oldest.event.id, oldest.event.fields));
  for (auto at = range.first; at != range.second; ++at) {
    if (at->second != begin_) continue;
    index_.erase(at);
    break;
  }
  const auto newest = newest_of_key_.find(oldest.event.key);
  if (newest != newest_of_key_.end() && newest->second == begin_) newest_of_key_.erase(newest);
  held_bytes_ -= bytes_of(oldest.event);
  items_.pop_front();
  ++begin_;
}

// Of several with the same id or content: the next one not yet received, and of the right content.
DeliveryJudge::Sequence DeliveryJudge::choose(const ReceivedEvent& event) const {
  struct Candidate {
    Sequence at = kNone;
    std::uint64_t cost = ~std::uint64_t{0};
  } best;
  const auto range = index_.equal_range(match_key(event.id, event.fields));
  for (auto at = range.first; at != range.second; ++at) {
    const Sequence sequence = at->second;
    const Item& item = items_[sequence - begin_];
    // A wrong body and a second delivery are worse than any distance; but by content alone a
    // repetition is as likely a second delivery as an event ahead.
    constexpr std::uint64_t kWorse = std::uint64_t{1} << 40;
    std::uint64_t cost = sequence >= front_ ? sequence - front_ : front_ - sequence;
    if (!item.received && !body_agrees(event.fields, item.event)) cost += kWorse;
    if (item.received && !event.id.empty()) cost += 2 * kWorse;
    if (cost < best.cost) best = {sequence, cost};
  }
  return best.at;
}

Result<DeliveryJudge::Sequence> DeliveryJudge::find(const ReceivedEvent& event) {
  if (options_.ordered_ids && !event.id.empty()) {
    if (event.id > options_.last_id) return kNone;
    while (last_id_ <= event.id && RT_TRY(load())) {
    }
    return choose(event);
  }
  for (;;) {
    const Sequence at = choose(event);
    if (at != kNone && at >= front_) return at;
    const bool known = at != kNone && (!event.id.empty() || !item(at).received);
    // What is late makes room for what is ahead.
    while (!known && begin_ < front_ && held_bytes_ >= options_.bytes_max / 2) drop_oldest();
    if (known || looks_far() || !RT_TRY(load())) return at;
  }
}

void DeliveryJudge::enter(std::uint64_t transaction) {
  if (transaction == transaction_) return;
  if (seen_in_it_ > 0 && skipped_in_it_ > 0) note(Fault::torn, first_skipped_, line_);
  transaction_ = transaction;
  seen_in_it_ = 0;
  skipped_in_it_ = 0;
}

void DeliveryJudge::pass_over(Sequence at, bool excused) {
  Item& passed = item(at);
  enter(passed.event.transaction);
  passed.excused = excused;
  if (excused || !passed.event.required || passed.event.transaction == 0) return;
  if (skipped_in_it_++ == 0) first_skipped_ = passed.event.id;
}

void DeliveryJudge::arrive(Sequence at, const ReceivedEvent& event) {
  Item& here = item(at);
  if (here.received) return note(Fault::duplicate, event.id, event.line);
  if (!body_agrees(event.fields, here.event)) note(Fault::wrong_body, event.id, event.line);
  ++found_.matched;
  if (at >= front_) {
    if (!any_matched_ && !excuse_) {
      for (Sequence i = front_; i < at; ++i) {
        if (item(i).event.required) ++found_.missing_at_start;
      }
    }
    while (front_ < at) pass_over(front_++, excuse_);
    enter(here.event.transaction);
    ++front_;
    ++seen_in_it_;
  } else {
    note(Fault::reordered, event.id, event.line);
    const auto newest = newest_of_key_.find(here.event.key);
    if (newest != newest_of_key_.end() && newest->second > at) ++found_.reordered_in_key;
    if (here.event.transaction == transaction_ && skipped_in_it_ > 0) {
      --skipped_in_it_;
      ++seen_in_it_;
    }
  }
  Sequence& newest = newest_of_key_[here.event.key];
  newest = std::max(newest, at);
  // An event that may stand for several (a TRUNCATE without known rows) stays.
  here.received = here.event.required || here.event.body != ExpectedEvent::Body::any;
  if (here.received && !here.event.id.empty()) {
    held_bytes_ -= bytes_of(here.event);
    EventFields().swap(here.event.fields);
    held_bytes_ += bytes_of(here.event);
  }
  any_matched_ = true;
  excuse_ = false;
  may_be_state_ = false;
}

bool DeliveryJudge::is_outside(const ReceivedEvent& event) const {
  if (!options_.ordered_ids || event.id.empty()) return false;
  if (event.id > options_.last_id || event.id < first_id_ || first_id_.empty()) return true;
  // Between two expected events where the recorder was blind.
  const auto after =
      std::upper_bound(items_.begin(), items_.end(), event.id,
                       [](const std::string& id, const Item& item) { return id < item.event.id; });
  return after != items_.end() && after->event.after_gap;
}

void DeliveryJudge::not_found(const ReceivedEvent& event) {
  if (is_outside(event)) {
    ++found_.outside;
    return;
  }
  const bool too_late = options_.ordered_ids && begin_ > 0 && !event.id.empty() &&
                        !items_.empty() && event.id < items_.front().event.id;
  note(too_late ? Fault::reordered : Fault::phantom, event.id, event.line);
}

// A row as it is ends a set of such rows, or is the only one. Then the change at its position is of
// a row that the subscriber does not want, or has another form: a delta.
bool DeliveryJudge::is_state(Sequence at, const ReceivedEvent& event) const {
  if (!options_.ordered_ids || event.id > options_.last_id) return false;
  if (at == kNone) return true;
  const Item& change = items_[at - begin_];
  if (change.received || body_agrees(event.fields, change.event)) return false;
  return inside_state_ || !same_name(event.fields, change.event.fields);
}

// The rows as they are at the position of `event`: what was before is in them.
Result<void> DeliveryJudge::skip_to_state(const ReceivedEvent& event) {
  ++found_.state_rows;
  while (last_id_ <= event.id && RT_TRY(load())) {
  }
  while (front_ < end() && item(front_).event.id <= event.id) pass_over(front_++, true);
  excuse_ = false;
  may_be_state_ = false;
  inside_state_ = false;
  any_matched_ = true;
  return {};
}

void DeliveryJudge::gap() {
  excuse_ = true;
  may_be_state_ = true;
}

Result<void> DeliveryJudge::take(const ReceivedEvent& event) {
  line_ = event.line;
  if (event.connection != connection_) {
    ++found_.reconnects;
    connection_ = event.connection;
    may_be_state_ = true;
  }
  if (event.state) {
    ++found_.state_rows;
    gap();
    inside_state_ = true;
    return {};
  }
  ++found_.received;
  const Sequence at = RT_TRY(find(event));
  if (event.initial && may_be_state_ && is_state(at, event)) {
    --found_.received;
    return skip_to_state(event);
  }
  inside_state_ = false;
  if (at == kNone) {
    not_found(event);
  } else {
    arrive(at, event);
  }
  return {};
}

Result<Delivery> DeliveryJudge::finish() {
  enter(~std::uint64_t{0});
  for (Sequence at = begin_; at < end(); ++at) {
    if (at < front_)
      settle(item(at));
    else
      stay_behind(item(at).event);
  }
  ExpectedEvent event;
  while (!ended_ && RT_TRY(next_(event))) {
    if (event.required) ++found_.expected;
    stay_behind(event);
  }
  found_.missing_at_start = std::min(found_.missing_at_start, found_.count(Fault::missing));
  return found_;
}

}  // namespace rt::rtreplay

#include "load/publisher.h"

#include <sys/prctl.h>

#include <algorithm>
#include <bit>

#include "load/payload.h"
#include "load/shard_messages.h"
#include "load/thread_use.h"

namespace rt {
namespace {

constexpr std::size_t kOrderRing = 64;  // two orders a phase at most
constexpr std::size_t kStatusRing = 16;
// How long it may take until an order is seen when nothing is due.
constexpr Duration kSlice = std::chrono::milliseconds(5);
// Sent between two looks at answers, so that a burst does not let them pile up.
constexpr unsigned kBurst = 64;

std::int64_t us_between(Instant from, Instant to) {
  return std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
}

}  // namespace

Publisher::Publisher(PublisherPlan plan, EventProducer& producer, const Clock& clock)
    : plan_(std::move(plan)),
      producer_(producer),
      clock_(clock),
      publication_(plan_.watchers.size(), plan_.phases),
      orders_(kOrderRing),
      statuses_(kStatusRing),
      phases_(plan_.phases),
      // Answers of different connections come out of order, so one slow connection can hold a
      // ticket while others advance; twice the bound keeps such a ticket from being overtaken.
      flights_(std::bit_ceil(std::size_t{plan_.max_in_flight} * 2)) {
  for (const PublishWork& work : plan_.works) streams_.push_back({work, 0, work.due(0), 0});
}

void Publisher::order(const Order& order) {
  Order copy = order;
  RT_CHECK(orders_.push(std::move(copy)));
}

void Publisher::run() {
  ::prctl(PR_SET_TIMERSLACK, 1'000UL);  // ns: the schedule is kept to a few microseconds
  report_at_ = clock_.now();
  while (!finished_ && !fault_) turn();
  for (const Flight& flight : flights_) {
    if (!flight.open) continue;
    ++phases_[flight.phase].publish_failed;
    ++status_.failed;
    publication_.doubt(flight.topic, flight.sequence);
  }
  if (zero_) skip_rest(end_ ? *end_ : clock_.now());
  status_.idle = true;
  status_.faulty = fault_.has_value();
  report(report_at_);
}

void Publisher::turn() {
  follow_orders();
  const Instant now = clock_.now();
  send_due(now);
  report(now);
  answers_.clear();
  const Result<void> turned = producer_.turn(std::min(next_due(), now + kSlice), answers_);
  for (const EventProducer::Answer& answer : answers_) answered(answer);
  if (!turned) fault_ = turned.error();
}

void Publisher::follow_orders() {
  Order order;
  while (orders_.pop(order)) {
    switch (order.kind) {
      case Order::Kind::begin:
        zero_ = order.at;
        phase_ = order.phase;
        break;
      case Order::Kind::phase:
        boundaries_.push_back(order);
        break;
      case Order::Kind::end:
        end_ = order.at;
        break;
      case Order::Kind::finish:
        finished_ = true;
        break;
    }
  }
}

// The entry whose event is next, if any has one. An entry is blocked while as many of its events as
// it may have are not answered.
Publisher::Stream* Publisher::first_due(bool blocked_too) {
  Stream* first = nullptr;
  for (Stream& stream : streams_) {
    if (stream.due == Duration::max() || (stream.is_blocked() && !blocked_too)) continue;
    if (first == nullptr || stream.due < first->due) first = &stream;
  }
  return first;
}

Instant Publisher::instant_of(const Stream* stream) const {
  return stream == nullptr ? Instant::max() : *zero_ + stream->due;
}

Instant Publisher::next_due() {
  if (!zero_) return Instant::max();
  const Instant at = instant_of(first_due(/*blocked_too=*/false));
  return end_ && at >= *end_ ? Instant::max() : at;
}

void Publisher::send_due(Instant now) {
  if (!zero_) return;  // ended before it began: nothing was due
  for (unsigned i = 0; i < kBurst; ++i) {
    const Instant due = next_due();
    if (due > now) break;
    send(*first_due(/*blocked_too=*/false), due, clock_.now());
  }
  // The time is over, and answers that do not come keep the rest from being sent.
  if (end_ && now >= *end_ && next_due() == Instant::max()) skip_rest(*end_);
}

std::size_t Publisher::phase_at(Instant intended) {
  while (!boundaries_.empty() && boundaries_.front().at <= intended) {
    phase_ = boundaries_.front().phase;
    boundaries_.erase(boundaries_.begin());
  }
  return phase_;
}

void Publisher::send(Stream& stream, Instant intended, Instant now) {
  const std::size_t phase = phase_at(intended);
  const std::uint64_t number = stream.next++;
  const std::uint32_t topic = stream.work.topic(number);
  stream.due = stream.work.due(stream.next);
  if (!plan_.share.owns(topic)) return;  // another machine sends it
  Flight& flight = flights_[ticket_ & (flights_.size() - 1)];
  if (flight.open) {
    // Its connection is so far behind that the table has gone round: no answer will be matched to
    // it.
    close(flight);
    fail(flight);
  }
  const std::uint32_t sequence = publication_.assign(topic, phase);
  flight = {intended,
            topic,
            sequence,
            static_cast<std::uint32_t>(phase),
            static_cast<std::uint32_t>(&stream - streams_.data()),
            true};
  ++in_flight_;
  ++stream.in_flight;
  const Payload payload{intended.time_since_epoch().count(), plan_.run, sequence,
                        static_cast<std::uint32_t>(phase),
                        plan_.names_topics ? topic : Payload::kNoTopic};
  value_.clear();
  if (const PayloadTemplate& value = stream.work.value(); !value.empty()) {
    value.append(value_, plan_.topic_name(topic), sequence, payload.intended_ns);
  }
  payload_.clear();
  append_payload(payload_, payload, stream.work.bytes(number), stream.work.filler(number), value_,
                 plan_.checks_content);
  producer_.send(ticket_++, topic, payload_);
  PhaseOutcome& outcome = phases_[phase];
  ++outcome.offered;
  ++outcome.sent;
  ++status_.offered;
  ++status_.sent;
  const std::int64_t late_us = us_between(intended, now);
  outcome.late.record(late_us);
  status_.late_max_us = std::max(status_.late_max_us, late_us);
}

// Everything due before `end` that was not sent never will be.
void Publisher::skip_rest(Instant end) {
  for (;;) {
    Stream* const stream = first_due(/*blocked_too=*/true);
    const Instant due = instant_of(stream);
    if (stream == nullptr || due >= end) return;
    const std::uint64_t number = stream->next++;
    stream->due = stream->work.due(stream->next);
    if (!plan_.share.owns(stream->work.topic(number))) continue;
    PhaseOutcome& outcome = phases_[phase_at(due)];
    ++outcome.offered;
    ++outcome.skipped;
    if (stream->is_blocked()) ++outcome.skipped_by_target;
    ++status_.offered;
    ++status_.skipped;
  }
}

void Publisher::close(Flight& flight) {
  flight.open = false;
  --in_flight_;
  --streams_[flight.stream].in_flight;
}

// It may have arrived all the same, and then its deliveries come too.
void Publisher::fail(const Flight& flight) {
  ++phases_[flight.phase].publish_failed;
  ++status_.failed;
  status_.due += plan_.watchers[flight.topic];
  publication_.doubt(flight.topic, flight.sequence);
}

void Publisher::answered(const EventProducer::Answer& answer) {
  Flight& flight = flights_[answer.ticket & (flights_.size() - 1)];
  if (!flight.open || answer.ticket + flights_.size() < ticket_) return;
  close(flight);
  PhaseOutcome& outcome = phases_[flight.phase];
  outcome.retried += answer.retries;
  if (!answer.accepted) {
    fail(flight);
    return;
  }
  ++outcome.acknowledged;
  ++status_.acknowledged;
  outcome.publish.record(us_between(flight.intended, answer.at));
  publication_.acknowledge(flight.topic, steady_ms(flight.intended));
  const std::uint32_t watchers = plan_.watchers[flight.topic];
  status_.due += watchers;
  if (watchers != 0) ++outcome.events;
}

void Publisher::report(Instant now) {
  if (now < report_at_) return;
  report_at_ = now + kCanary;
  PublisherStatus status = status_;
  status.cpu_ns = thread_cpu_ns();
  status.at = now;
  status.idle =
      status_.idle || (end_ && now >= *end_ && in_flight_ == 0 && next_due() == Instant::max());
  if (statuses_.push(std::move(status))) status_.late_max_us = 0;
}

}  // namespace rt

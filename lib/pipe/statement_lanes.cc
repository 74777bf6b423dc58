#include "pipe/statement_lanes.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "pg/pipeline.h"
#include "proto/pg_array.h"

namespace rt {
namespace {

constexpr char kStatement[] = "change";

// Waits for the answer to the statement's preparation.
Result<void> prepare(Pipeline& pipeline, const StatementOptions& options, const Clock& clock) {
  RT_CHECKED(pipeline.prepare(kStatement, options.sql));
  RT_CHECKED(pipeline.sync());
  for (bool ready = false; !ready;) {
    RT_TRY(pipeline.flush());
    RT_TRY(pipeline.connection().wait(POLLIN, clock.now() + std::chrono::seconds(10),
                                      "cannot prepare a statement"));
    RT_CHECKED(pipeline.consume_input());
    while (auto result = RT_TRY(pipeline.next())) {
      if (result->kind == PipelineResult::Kind::failed) {
        return fail(std::move(*result->error).with_hint(options.hint));
      }
      ready = ready || result->kind == PipelineResult::Kind::sync;
    }
  }
  return {};
}

}  // namespace

struct StatementLanes::Lane {
  Lane(Pipeline started, std::size_t count)
      : pipeline(std::move(started)), parameters(count, std::string()) {}

  Pipeline pipeline;
  std::deque<std::uint64_t> in_flight;  // tickets, oldest first; bounded by the publisher
  std::deque<std::size_t> statements;   // how many tickets each has
  Parameters parameters;
  bool wants_write = false;
  bool accepted = false;  // of the statement whose sync has not come
};

Result<StatementLanes> StatementLanes::open(const StatementOptions& options, const Clock& clock) {
  std::vector<std::unique_ptr<Lane>> lanes;
  for (unsigned i = 0; i < std::max(1U, options.connections); ++i) {
    Connection connection =
        RT_TRY(Connection::connect(options.dsn, {.application_name = "rtbench"}));
    lanes.push_back(
        std::make_unique<Lane>(RT_TRY(Pipeline::start(std::move(connection))), options.parameters));
    RT_CHECKED(prepare(lanes.back()->pipeline, options, clock));
  }
  return StatementLanes(options.no_row, std::move(lanes), clock);
}

StatementLanes::StatementLanes(std::string no_row, std::vector<std::unique_ptr<Lane>> lanes,
                               const Clock& clock)
    : no_row_(std::move(no_row)), lanes_(std::move(lanes)), clock_(clock) {}
StatementLanes::StatementLanes(StatementLanes&&) noexcept = default;
StatementLanes::~StatementLanes() = default;

void StatementLanes::note_failure(std::string text) {
  if (first_failure_.empty()) first_failure_ = std::move(text);
}

Parameters& StatementLanes::parameters(std::size_t lane) {
  return lanes_[lane]->parameters;
}

void StatementLanes::send(std::span<const std::uint64_t> tickets, std::size_t number) {
  if (fault_) return;
  Lane& lane = *lanes_[number];
  Result<void> sent = lane.pipeline.send_prepared(kStatement, lane.parameters);
  if (sent) sent = lane.pipeline.sync();
  if (!sent) {
    fault_ = sent.error();
    return;
  }
  lane.in_flight.insert(lane.in_flight.end(), tickets.begin(), tickets.end());
  lane.statements.push_back(tickets.size());
  lane.wants_write = true;
}

Result<void> StatementLanes::turn(Instant until, std::vector<EventProducer::Answer>& answers) {
  if (fault_) return fail(*fault_);
  std::vector<pollfd> waits;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    if (lane->wants_write) lane->wants_write = !RT_TRY(lane->pipeline.flush());
    const auto events = static_cast<short>(POLLIN | (lane->wants_write ? POLLOUT : 0));
    waits.push_back({lane->pipeline.socket(), events, 0});
  }
  const timespec timeout = time_left(until, clock_.now());
  if (::ppoll(waits.data(), waits.size(), &timeout, nullptr) < 0 && errno != EINTR) {
    return fail(os_error("cannot wait for the database", errno));
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (waits[i].revents == 0) continue;
    RT_CHECKED(lanes_[i]->pipeline.consume_input());
    RT_CHECKED(collect(*lanes_[i], answers));
  }
  return {};
}

// A change is committed when its sync is answered, not when its statement is.
Result<void> StatementLanes::collect(Lane& lane, std::vector<EventProducer::Answer>& answers) {
  while (auto result = RT_TRY(lane.pipeline.next())) {
    switch (result->kind) {
      case PipelineResult::Kind::statement:
        lane.accepted =
            !lane.statements.empty() && result->rows.affected() == lane.statements.front();
        if (!lane.accepted) note_failure(no_row_);
        break;
      case PipelineResult::Kind::failed:
        lane.accepted = false;
        note_failure(result->error->text);
        break;
      case PipelineResult::Kind::aborted:
        lane.accepted = false;
        break;
      case PipelineResult::Kind::sync:
        answer(lane, answers);
        break;
    }
  }
  return {};
}

void StatementLanes::answer(Lane& lane, std::vector<EventProducer::Answer>& answers) {
  if (lane.statements.empty()) return;
  const Instant now = clock_.now();
  for (std::size_t left = lane.statements.front(); left > 0; --left) {
    answers.push_back({lane.in_flight.front(), now, lane.accepted});
    lane.in_flight.pop_front();
  }
  lane.statements.pop_front();
  lane.accepted = false;
}

std::string topic_array(std::uint32_t from, std::uint32_t end,
                        const std::function<std::string(std::uint32_t)>& name_of) {
  std::string out = "{";
  for (std::uint32_t topic = from; topic < end; ++topic) {
    if (topic != from) out += ',';
    append_array_element(out, name_of(topic));
  }
  return out + "}";
}

}  // namespace rt

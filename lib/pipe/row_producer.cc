#include "pipe/row_producer.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "pg/connection.h"
#include "pg/names.h"
#include "pg/pipeline.h"

namespace rt {
namespace {

constexpr char kStatement[] = "change";
// Rows a statement: large enough to be fast, small enough that a server's memory does not notice.
constexpr std::uint32_t kInsertRows = 1'000;
constexpr std::array<std::string_view, 2> kStatuses = {"EXECUTING", "WAITING"};

// {"a","b"}: PostgreSQL documentation, "Array Input and Output Syntax".
void append_array_element(std::string& out, std::string_view text) {
  out += out.empty() ? "{\"" : ",\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

}  // namespace

struct RowProducer::Lane {
  explicit Lane(Pipeline started) : pipeline(std::move(started)) {}

  Pipeline pipeline;
  std::deque<std::uint64_t> in_flight;  // tickets, oldest first; bounded by the publisher
  Parameters parameters{std::string(), std::string(), std::string()};
  bool wants_write = false;
  bool accepted = false;  // of the statement whose sync has not come
};

Result<std::unique_ptr<RowProducer>> RowProducer::open(const RowProducerOptions& options,
                                                       const Clock& clock) {
  const TableName table = RT_TRY(parse_table_name(options.table));
  const std::string sql = fmt::format(
      "UPDATE {} SET status = $2, data = $3, updated_at = now() WHERE id = $1", table.quoted());
  std::vector<std::unique_ptr<Lane>> lanes;
  for (unsigned i = 0; i < std::max(1U, options.connections); ++i) {
    Connection connection =
        RT_TRY(Connection::connect(options.dsn, {.application_name = "rtbench"}));
    lanes.push_back(std::make_unique<Lane>(RT_TRY(Pipeline::start(std::move(connection)))));
    Pipeline& pipeline = lanes.back()->pipeline;
    RT_CHECKED(pipeline.prepare(kStatement, sql));
    RT_CHECKED(pipeline.sync());
    for (bool ready = false; !ready;) {  // wrong table or columns: said before anything starts
      RT_TRY(pipeline.flush());
      RT_TRY(pipeline.connection().wait(POLLIN, clock.now() + std::chrono::seconds(10),
                                        "cannot prepare a statement"));
      RT_CHECKED(pipeline.consume_input());
      while (auto result = RT_TRY(pipeline.next())) {
        if (result->kind == PipelineResult::Kind::failed) {
          return fail(std::move(*result->error).with_hint("rtctl setup creates the run table"));
        }
        ready = ready || result->kind == PipelineResult::Kind::sync;
      }
    }
  }
  return std::unique_ptr<RowProducer>(new RowProducer(options, std::move(lanes), clock));
}

RowProducer::RowProducer(RowProducerOptions options, std::vector<std::unique_ptr<Lane>> lanes,
                         const Clock& clock)
    : options_(std::move(options)), lanes_(std::move(lanes)), clock_(clock) {}

RowProducer::~RowProducer() = default;

Result<void> RowProducer::prepare(std::uint32_t topics,
                                  const std::function<std::string(std::uint32_t)>& name_of,
                                  std::string_view initial) {
  name_of_ = name_of;
  const TableName table = RT_TRY(parse_table_name(options_.table));
  Connection connection =
      RT_TRY(Connection::connect(options_.dsn, {.application_name = "rtbench"}));
  const std::string sql = fmt::format(
      "INSERT INTO {} (id, env_id, status, tags, data) "
      "SELECT id, 'bench', 'PENDING', '{{bench}}', $2::jsonb FROM unnest($1::text[]) AS id "
      "ON CONFLICT (id) DO UPDATE SET data = excluded.data, status = excluded.status, "
      "updated_at = now()",
      table.quoted());
  for (std::uint32_t topic = 0; topic < topics;) {
    std::string ids;
    const std::uint32_t end = std::min(topics, topic + kInsertRows);
    for (; topic < end; ++topic) append_array_element(ids, name_of(topic));
    ids += '}';
    RT_TRY(connection.query(sql, {ids, std::string(initial)}, "cannot create the rows to change"));
  }
  return {};
}

void RowProducer::note_failure(std::string text) {
  if (first_failure_.empty()) first_failure_ = std::move(text);
}

void RowProducer::send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) {
  if (fault_) return;
  Lane& lane = *lanes_[topic % lanes_.size()];
  lane.parameters[0]->assign(name_of_(topic));
  lane.parameters[1]->assign(kStatuses[ticket % kStatuses.size()]);
  lane.parameters[2]->assign(payload);
  Result<void> sent = lane.pipeline.send_prepared(kStatement, lane.parameters);
  if (sent) sent = lane.pipeline.sync();
  if (!sent) {
    fault_ = sent.error();
    return;
  }
  lane.in_flight.push_back(ticket);
  lane.wants_write = true;
}

Result<void> RowProducer::turn(Instant until, std::vector<Answer>& answers) {
  if (fault_) return fail(*fault_);
  std::vector<pollfd> waits;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    if (lane->wants_write) lane->wants_write = !RT_TRY(lane->pipeline.flush());
    const auto events = static_cast<short>(POLLIN | (lane->wants_write ? POLLOUT : 0));
    waits.push_back({lane->pipeline.socket(), events, 0});
  }
  const Duration left = std::max(until - clock_.now(), Duration::zero());
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec timeout{static_cast<time_t>(whole.count()),
                         static_cast<long>((left - whole).count())};
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
Result<void> RowProducer::collect(Lane& lane, std::vector<Answer>& answers) {
  while (auto result = RT_TRY(lane.pipeline.next())) {
    switch (result->kind) {
      case PipelineResult::Kind::statement:
        lane.accepted = result->rows.affected() == 1;
        if (!lane.accepted) note_failure("the row to change does not exist any more");
        break;
      case PipelineResult::Kind::failed:
        lane.accepted = false;
        note_failure(result->error->text);
        break;
      case PipelineResult::Kind::aborted:
        lane.accepted = false;
        break;
      case PipelineResult::Kind::sync:
        if (lane.in_flight.empty()) break;
        answers.push_back({lane.in_flight.front(), clock_.now(), lane.accepted});
        lane.in_flight.pop_front();
        lane.accepted = false;
        break;
    }
  }
  return {};
}

}  // namespace rt

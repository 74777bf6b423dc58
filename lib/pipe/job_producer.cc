#include "pipe/job_producer.h"

#include <fmt/format.h>

#include <algorithm>

#include "pg/connection.h"

namespace rt {
namespace {

constexpr std::string_view kQueue = "rtbench";

}  // namespace

Result<std::unique_ptr<JobProducer>> JobProducer::open(const JobProducerOptions& options,
                                                       const Clock& clock) {
  Connection connection = RT_TRY(Connection::connect(options.dsn, {.application_name = "rtbench"}));
  JobSchema schema = RT_TRY(JobSchema::read(connection, options.schema));
  RT_CHECKED(schema.require_writable("cannot change jobs", connection));
  StatementOptions statement;
  statement.dsn = options.dsn;
  statement.sql = fmt::format(
      "UPDATE {}.job SET state = $2, data = $3 WHERE name = '{}' AND id = $1", schema.at(), kQueue);
  statement.parameters = 3;
  statement.connections = options.connections;
  statement.hint = "rtctl jobs setup says what is missing";
  statement.no_row = "the job to change does not exist any more";
  auto lanes = RT_TRY(StatementLanes::open(statement, clock));
  return std::unique_ptr<JobProducer>(
      new JobProducer(options, std::move(schema), std::move(lanes)));
}

Result<void> JobProducer::prepare(std::uint32_t topics,
                                  const std::function<std::string(std::uint32_t)>& name_of,
                                  std::string_view initial) {
  name_of_ = name_of;
  active_.assign(topics, false);
  Connection connection =
      RT_TRY(Connection::connect(options_.dsn, {.application_name = "rtbench"}));
  constexpr std::string_view attempt = "cannot create the jobs to change";
  RT_TRY(connection.query(fmt::format(R"(SELECT {}.create_queue('{}', '{{"policy":"standard"}}'))",
                                      schema_.at(), kQueue),
                          attempt));
  RT_TRY(connection.query(fmt::format("DELETE FROM {}.job WHERE name = '{}'", schema_.at(), kQueue),
                          attempt));
  // They begin tomorrow: a worker that somebody points at this queue finds nothing to do.
  const std::string sql = fmt::format(
      "INSERT INTO {}.job (id, name, data, policy, start_after) "
      "SELECT id, '{}', $2::jsonb, 'standard', now() + '1 day' FROM unnest($1::uuid[]) AS id",
      schema_.at(), kQueue);
  for (std::uint32_t topic = 0; topic < topics;) {
    const std::uint32_t end = std::min(topics, topic + kTopicsAStatement);
    RT_TRY(
        connection.query(sql, {topic_array(topic, end, name_of), std::string(initial)}, attempt));
    topic = end;
  }
  return {};
}

void JobProducer::send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) {
  active_[topic] = !active_[topic];
  const std::size_t lane = lanes_.lane_of(topic);
  Parameters& parameters = lanes_.parameters(lane);
  parameters[0]->assign(name_of_(topic));
  parameters[1]->assign(active_[topic] ? "active" : "retry");
  parameters[2]->assign(payload);
  lanes_.send(ticket, lane);
}

}  // namespace rt

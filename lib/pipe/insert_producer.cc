#include "pipe/insert_producer.h"

#include <fmt/format.h>

#include "base/text.h"
#include "pg/connection.h"
#include "pg/names.h"
#include "proto/pg_array.h"

namespace rt {
namespace {

// Whose rows these are, so that the next run can take them away.
constexpr std::string_view kEnvironment = "bench-insert";

}  // namespace

Result<std::unique_ptr<InsertProducer>> InsertProducer::open(const InsertProducerOptions& options,
                                                             const Clock& clock) {
  const TableName table = RT_TRY(parse_table_name(options.table));
  StatementOptions statement;
  statement.dsn = options.dsn;
  statement.sql = fmt::format(
      "INSERT INTO {} (id, env_id, status, tags, data) "
      "SELECT id, '{}', 'PENDING', ARRAY[topic], data::jsonb "
      "FROM unnest($1::text[], $2::text[], $3::text[]) AS new (id, topic, data)",
      table.quoted(), kEnvironment);
  statement.parameters = 3;
  statement.connections = options.connections;
  statement.hint = "rtctl setup creates the run table";
  statement.no_row = "a trigger or rule of the table left rows out";
  auto lanes = RT_TRY(StatementLanes::open(statement, clock));
  return std::unique_ptr<InsertProducer>(new InsertProducer(options, std::move(lanes)));
}

Result<void> InsertProducer::prepare(std::uint32_t,
                                     const std::function<std::string(std::uint32_t)>& name_of,
                                     std::string_view) {
  name_of_ = name_of;
  const TableName table = RT_TRY(parse_table_name(options_.table));
  Connection connection =
      RT_TRY(Connection::connect(options_.dsn, {.application_name = "rtbench"}));
  RT_TRY(connection.query(
      fmt::format("DELETE FROM {} WHERE env_id = '{}'", table.quoted(), kEnvironment),
      "cannot delete the rows of an earlier run"));
  return {};
}

void InsertProducer::send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) {
  const std::size_t lane = lanes_.lane_of(topic);
  std::vector<std::uint64_t>& waiting = waiting_[lane];
  Parameters& parameters = lanes_.parameters(lane);
  for (auto& parameter : parameters) {
    if (waiting.empty()) parameter->clear();
    *parameter += waiting.empty() ? '{' : ',';
  }
  std::string id = name_of_(topic);
  append_array_element(*parameters[1], id);
  id += '.';
  append_decimal(id, ticket);
  append_array_element(*parameters[0], id);
  append_array_element(*parameters[2], payload);
  waiting.push_back(ticket);
  if (waiting.size() >= options_.batch) flush(lane);
}

void InsertProducer::flush(std::size_t lane) {
  std::vector<std::uint64_t>& waiting = waiting_[lane];
  if (waiting.empty()) return;
  for (auto& parameter : lanes_.parameters(lane)) *parameter += '}';
  lanes_.send(waiting, lane);
  waiting.clear();
}

Result<void> InsertProducer::turn(Instant until, std::vector<Answer>& answers) {
  for (std::size_t lane = 0; lane < waiting_.size(); ++lane) flush(lane);
  return StatementProducer::turn(until, answers);
}

}  // namespace rt

#include "pipe/row_producer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "pg/connection.h"
#include "pg/names.h"

namespace rt {
namespace {

constexpr std::array<std::string_view, 2> kStatuses = {"EXECUTING", "WAITING"};

}  // namespace

Result<std::unique_ptr<RowProducer>> RowProducer::open(const RowProducerOptions& options,
                                                       const Clock& clock) {
  const TableName table = RT_TRY(parse_table_name(options.table));
  StatementOptions statement;
  statement.dsn = options.dsn;
  statement.sql = fmt::format(
      "UPDATE {} SET status = $2, data = $3, updated_at = now() WHERE id = $1", table.quoted());
  statement.parameters = 3;
  statement.connections = options.connections;
  statement.hint = "rtctl setup creates the run table";
  statement.no_row = "the row to change does not exist any more";
  auto lanes = RT_TRY(StatementLanes::open(statement, clock));
  return std::unique_ptr<RowProducer>(new RowProducer(options, std::move(lanes)));
}

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
    const std::uint32_t end = std::min(topics, topic + kTopicsAStatement);
    RT_TRY(connection.query(sql, {topic_array(topic, end, name_of), std::string(initial)},
                            "cannot create the rows to change"));
    topic = end;
  }
  return {};
}

void RowProducer::send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) {
  const std::size_t lane = lanes_.lane_of(topic);
  Parameters& parameters = lanes_.parameters(lane);
  parameters[0]->assign(name_of_(topic));
  parameters[1]->assign(kStatuses[ticket % kStatuses.size()]);
  parameters[2]->assign(payload);
  lanes_.send(ticket, lane);
}

}  // namespace rt

#include "pipe/notify_producer.h"

namespace rt {

Result<std::unique_ptr<NotifyProducer>> NotifyProducer::open(const NotifyProducerOptions& options,
                                                             const Clock& clock) {
  StatementOptions statement;
  statement.dsn = options.dsn;
  statement.sql = "SELECT pg_notify($1, $2)";
  statement.parameters = 2;
  statement.connections = options.connections;
  auto lanes = RT_TRY(StatementLanes::open(statement, clock));
  return std::unique_ptr<NotifyProducer>(new NotifyProducer(options, std::move(lanes)));
}

Result<void> NotifyProducer::prepare(std::uint32_t,
                                     const std::function<std::string(std::uint32_t)>& name_of,
                                     std::string_view) {
  name_of_ = name_of;
  return {};
}

void NotifyProducer::send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) {
  const std::string name = name_of_(topic);
  const std::size_t lane = lanes_.lane_of(topic);
  Parameters& parameters = lanes_.parameters(lane);
  parameters[0]->clear();
  parameters[1]->clear();
  options_.channel.append(*parameters[0], name, payload);
  options_.body.append(*parameters[1], name, payload);
  lanes_.send(ticket, lane);
}

}  // namespace rt

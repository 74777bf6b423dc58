#include "pg/job_stats.h"

#include <fmt/format.h>

#include "base/text.h"

namespace rt {

Result<std::vector<QueueStats>> job_stats(Connection& connection, const JobSchema& schema,
                                          const std::string& queue) {
  std::string counts;
  for (const std::string_view state : kJobStates) {
    counts.append(fmt::format(", count(*) filter (where j.state::text = '{}')", state));
  }
  std::optional<std::string> wanted;
  if (!queue.empty()) wanted = queue;
  const Rows rows = RT_TRY(connection.query(
      fmt::format(
          "select q.name, q.policy{0}, floor(extract(epoch from now() - min(j.start_after) filter "
          "(where j.state::text in ('created', 'retry') and j.start_after <= now())))::bigint "
          "from {1}.queue q left join {1}.job j on j.name = q.name "
          "where q.name = $1 or $1 is null and not starts_with(q.name, '{2}') "
          "group by q.name, q.policy order by q.name",
          counts, schema.at(), kInternalQueues),
      {wanted}, "cannot count jobs"));
  std::vector<QueueStats> stats;
  for (int i = 0; i < rows.size(); ++i) {
    QueueStats each;
    each.queue = rows.text(i, 0);
    each.policy = rows.text(i, 1);
    int column = 2;
    for (std::uint64_t& count : each.counts) {
      count = parse_decimal(rows.text(i, column++)).value_or(0);
    }
    each.oldest_waiting_s = parse_decimal(rows.text(i, column));
    stats.push_back(std::move(each));
  }
  return stats;
}

}  // namespace rt

#include "rtbench/open_publishing.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "pipe/commit_clock.h"
#include "pipe/row_producer.h"

namespace rt::rtbench {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

Result<Publishing> open_publishing(const Scenario& scenario, const Clock& clock) {
  Publishing parts;
  if (scenario.publish.empty()) return parts;
  const PublishSpec& spec = scenario.publish.front();
  if (spec.producer != ProducerKind::pg_update) {
    return fail(
        Code::usage,
        fmt::format("a producer of type {} is not available yet", producer_name(spec.producer)),
        "use \"pg-update\"");
  }
  std::string dsn = scenario.target.pg;
  if (dsn.empty()) dsn = environment("RT_PG");
  if (dsn.empty()) dsn = environment("DATABASE_URL");
  parts.producer = RT_TRY(RowProducer::open({dsn, spec.table, spec.connections}, clock));
  parts.commits =
      RT_TRY(CommitClock::open(dsn, spec.table, environment("PUBLICATION_NAME"), clock));
  return parts;
}

}  // namespace rt::rtbench

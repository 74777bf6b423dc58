#include "rtbench/open_publishing.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "base/random.h"
#include "load/stream_target.h"
#include "pipe/commit_clock.h"
#include "pipe/http_producer.h"
#include "pipe/insert_producer.h"
#include "pipe/job_producer.h"
#include "pipe/notify_producer.h"
#include "pipe/producer_group.h"
#include "pipe/redis_producer.h"
#include "pipe/row_producer.h"

namespace rt::rtbench {
namespace {

using Spelling = EventText::Spelling;
using Opened = Result<std::unique_ptr<EventProducer>>;

// The first of these that is set.
std::string environment(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

std::string dsn_of(const Scenario& scenario) {
  return scenario.target.pg.empty() ? environment({"RT_PG", "DATABASE_URL"}) : scenario.target.pg;
}

// Of this process and entry, by instant and chance: a server remembers keys for days.
std::string key_prefix(const PublishSpec& spec, const Clock& clock) {
  Random random = Random::of(static_cast<std::uint64_t>(unix_us(clock.wall())), spec.id,
                             static_cast<std::uint64_t>(::getpid()));
  return fmt::format("rtbench-{:016x}{:016x}-", random.next(), random.next());
}

Opened open_http(const PublishSpec& spec, const Clock& clock) {
  const StreamTarget target = RT_TRY(StreamTarget::parse(spec.url));
  HttpProducerOptions options;
  options.host = target.host;
  options.port = target.port;
  options.authority = target.authority;
  options.path = EventText(target.path, Spelling::path);
  options.body = EventText(spec.body, Spelling::json);
  options.connections = spec.connections;
  if (spec.idempotency) options.key_prefix = key_prefix(spec, clock);
  return RT_TRY(HttpProducer::open(std::move(options), clock));
}

Opened open_redis(const PublishSpec& spec, const Clock& clock) {
  std::string url = spec.url.empty() ? environment({"RT_REDIS", "REDIS_URL"}) : spec.url;
  if (url.empty()) url = "redis://127.0.0.1:6379";
  RedisProducerOptions options;
  options.address = RT_TRY(parse_redis_url(url));
  options.place = EventText(spec.channel, Spelling::plain);
  options.body = EventText(spec.body, Spelling::json);
  options.to_stream = spec.producer == ProducerKind::redis_stream;
  options.connections = spec.connections;
  return RT_TRY(RedisProducer::open(options, clock));
}

Opened open_producer(const Scenario& scenario, const PublishSpec& spec, const Clock& clock) {
  const std::string dsn = dsn_of(scenario);
  switch (spec.producer) {
    case ProducerKind::pg_update:
      return RT_TRY(RowProducer::open({dsn, spec.table, spec.connections}, clock));
    case ProducerKind::pg_insert:
      return RT_TRY(InsertProducer::open({dsn, spec.table, spec.connections, spec.batch}, clock));
    case ProducerKind::pg_job:
      return RT_TRY(JobProducer::open({dsn, spec.schema, spec.connections}, clock));
    case ProducerKind::pg_notify:
      return RT_TRY(NotifyProducer::open({dsn, EventText(spec.channel, Spelling::plain),
                                          EventText(spec.body, Spelling::json), spec.connections},
                                         clock));
    case ProducerKind::http_post:
      return open_http(spec, clock);
    case ProducerKind::redis_publish:
    case ProducerKind::redis_stream:
      return open_redis(spec, clock);
  }
  return fail(Code::internal, "no such producer");
}

// By topic, the entry of "publish" whose file names it; empty: there are no files.
std::vector<std::uint32_t> owners_of_topics(const Scenario& scenario) {
  if (!scenario.publish.front().topic.weights) return {};
  std::vector<std::uint32_t> owners(scenario.subscriptions.topics, 0);  // 0: nobody's, no event
  for (std::uint32_t i = 0; i < scenario.publish.size(); ++i) {
    for (const std::uint32_t topic : scenario.publish[i].topic.weights->topics) owners[topic] = i;
  }
  return owners;
}

}  // namespace

Result<Publishing> open_publishing(const Scenario& scenario, const Clock& clock) {
  Publishing parts;
  if (scenario.publish.empty()) return parts;
  std::vector<std::unique_ptr<EventProducer>> members;
  for (const PublishSpec& spec : scenario.publish) {
    members.push_back(RT_TRY(open_producer(scenario, spec, clock)));
  }
  parts.producer = members.size() == 1 ? std::move(members.front())
                                       : std::make_unique<ProducerGroup>(
                                             std::move(members), owners_of_topics(scenario), clock);
  // Events of these surfaces carry the position of their commit; entries of one preset are alike.
  const PublishSpec& first = scenario.publish.front();
  const bool rows =
      first.producer == ProducerKind::pg_update || first.producer == ProducerKind::pg_insert;
  if (!rows && first.producer != ProducerKind::pg_job) return parts;
  parts.commits = RT_TRY(CommitClock::open(dsn_of(scenario), rows ? first.table : "job_runs",
                                           environment({"PUBLICATION_NAME"}),
                                           scenario.clock.mode == ClockSpec::Mode::probe, clock));
  return parts;
}

}  // namespace rt::rtbench

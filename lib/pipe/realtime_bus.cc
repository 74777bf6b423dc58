#include "pipe/realtime_bus.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "pipe/realtime_postgres.h"
#include "pipe/realtime_redis.h"

namespace rt {
namespace {

using Opened = Result<std::unique_ptr<RealtimeBus>>;

Opened open_memory(const RealtimeBusOptions&, LinkWatch) {
  return realtime_over_memory(make_realtime_exchange());
}

Opened open_redis(const RealtimeBusOptions& options, LinkWatch watch) {
  return realtime_over_redis({RT_TRY(parse_redis_url(options.redis_url)), options.partitioned},
                             std::move(watch));
}

Opened open_stream(const RealtimeBusOptions& options, LinkWatch watch) {
  return realtime_over_stream(RT_TRY(parse_redis_url(options.redis_url)), std::move(watch));
}

Opened open_postgres(const RealtimeBusOptions& options, LinkWatch watch) {
  return realtime_over_postgres(options.dsn, options.channel, std::move(watch));
}

enum class Needs : std::uint8_t { nothing, redis, database };

struct Transport {
  std::string_view name;
  Needs needs;
  Opened (*open)(const RealtimeBusOptions& options, LinkWatch watch);
};
constexpr std::array<Transport, 6> kTransports = {{
    {"memory", Needs::nothing, open_memory},
    {"redis", Needs::redis, open_redis},
    {"redis-stream", Needs::redis, open_stream},
    {"postgres", Needs::database, open_postgres},
    {"pg", Needs::database, open_postgres},  // these two as the original names it
    {"neon", Needs::database, open_postgres},
}};

}  // namespace

Result<void> RealtimeBus::read_past(RedisEntryId, RedisEntryId, const TakePast&) {
  return fail(Code::usage, "this transport keeps no past");
}

Opened open_realtime_bus(const RealtimeBusOptions& options, LinkWatch watch) {
  const auto found =
      std::find_if(kTransports.begin(), kTransports.end(), [&](const Transport& transport) {
        return equal_ignoring_case(transport.name, options.transport);
      });
  if (found == kTransports.end()) {
    return fail(Code::usage, fmt::format("there is no transport \"{}\"", options.transport),
                "transports are memory, redis, redis-stream and postgres");
  }
  if (found->needs == Needs::redis && options.redis_url.empty()) {
    return fail(Code::refused, fmt::format("transport {} needs a Redis", found->name),
                "set REDIS_URL or --redis");
  }
  if (found->needs == Needs::database && options.dsn.empty()) {
    return fail(Code::refused, fmt::format("transport {} needs a database", found->name),
                "set DATABASE_URL or --pg");
  }
  if (options.partitioned && found->open != open_redis) {
    return fail(Code::usage, fmt::format("transport {} has no partitions", found->name),
                "partition by type with the transport redis");
  }
  return found->open(options, std::move(watch));
}

}  // namespace rt

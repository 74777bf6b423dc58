// Sources that need no server of ours: PostgreSQL itself, and Redis.
#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "cli/environment.h"
#include "rtctl/notify_stream.h"
#include "rtctl/redis_stream.h"
#include "rtctl/source_request.h"
#include "rtctl/verbs.h"
#include "rtctl/wal_stream.h"

namespace rt::rtctl {
namespace {

Result<std::string> database_of(const SourceRequest& request) {
  std::string dsn = request.flags.dsn;
  if (dsn.empty()) dsn = cli::first_set({"RT_PG", "DATABASE_URL"});
  const bool by_libpq = !cli::first_set({"PGHOST", "PGSERVICE", "PGDATABASE"}).empty();
  if (dsn.empty() && !by_libpq) {
    return fail(Code::usage, fmt::format("{} needs a database", request.word),
                "name it with --pg DSN, or RT_PG, or PGHOST and its like");
  }
  return dsn;
}

Result<std::optional<std::uint32_t>> retries_of(const SourceFlags& flags) {
  if (flags.no_reconnect) return 0u;
  if (flags.max_retries.empty()) return std::nullopt;
  const std::uint64_t retries = RT_TRY(parse_count(flags.max_retries));
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(retries, 1u << 30));
}

}  // namespace

OpenedStream open_wal(const SourceRequest& request) {
  WalStreamOptions options;
  options.dsn = RT_TRY(database_of(request));
  const std::string& publication = request.flags.publication;
  options.publication = publication.empty() ? std::string(kDefaultPublication) : publication;
  options.slot = request.flags.slot;
  options.tables = request.flags.tables;
  options.snapshot = request.flags.snapshot;
  options.since = request.since;
  options.retries_max = RT_TRY(retries_of(request.flags));
  return open_wal_stream(options);
}

OpenedStream open_notify(const SourceRequest& request) {
  if (request.since.kind != Since::Kind::unset && request.since.kind != Since::Kind::end) {
    return fail(Code::usage, "NOTIFY keeps nothing: there is no past to begin in",
                "leave --since out; \"rtctl sub wal\" can resume");
  }
  NotifyStreamOptions options;
  options.dsn = RT_TRY(database_of(request));
  options.channels.assign(request.arguments.begin(), request.arguments.end());
  options.reconnect.retries_max = RT_TRY(retries_of(request.flags));
  return open_notify_stream(options);
}

OpenedStream open_redis(const SourceRequest& request) {
  RedisStreamOptions options;
  const std::string set = cli::first_set({"RT_REDIS", "REDIS_URL"});
  if (!set.empty()) options.url = set;
  if (!request.flags.redis.empty()) options.url = request.flags.redis;
  options.names.assign(request.arguments.begin(), request.arguments.end());
  options.entries = request.flags.stream;
  options.since = request.since;
  if (options.entries && !request.flags.last.empty()) {
    options.last = RT_TRY(parse_count(request.flags.last));
  }
  options.retries_max = RT_TRY(retries_of(request.flags));
  return open_redis_stream(options);
}

}  // namespace rt::rtctl

// The table of all checks of `rtctl doctor`.
#include "rtctl/doctor_check.h"

namespace rt::rtctl {
namespace {

template <auto Judge>
Finding http(const DoctorFacts& facts) {
  return facts.http ? Judge(*facts.http) : found_skipped("no URL: rtctl doctor URL");
}

template <auto Judge>
Finding pg(const DoctorFacts& facts) {
  if (!facts.pg) return found_skipped("no database: --pg DSN");
  if (facts.pg->failure && Judge != &judge_pg_connect) return found_skipped("not reached");
  return Judge(*facts.pg);
}

template <auto Judge>
Finding redis(const DoctorFacts& facts) {
  if (!facts.redis) return found_skipped("no Redis: --redis URL");
  if (facts.redis->failure && Judge != &judge_redis_connect) return found_skipped("not reached");
  return Judge(*facts.redis);
}

template <auto Judge>
Finding machine(const DoctorFacts& facts) {
  return facts.machine ? Judge(*facts.machine) : found_skipped("not asked");
}

constexpr Check kChecks[] = {
    {"resolve", Family::http, http<&judge_resolve>},
    {"connect", Family::http, http<&judge_connect>},
    {"tls", Family::http, http<&judge_tls>},
    {"http-version", Family::http, http<&judge_http_version>},
    {"status", Family::http, http<&judge_status>},
    {"content-type", Family::http, http<&judge_content_type>},
    {"first-byte", Family::http, http<&judge_first_byte>},
    {"heartbeat", Family::http, http<&judge_heartbeat>},
    {"buffering", Family::http, http<&judge_buffering>},
    {"resume", Family::http, http<&judge_resume>},
    {"gzip", Family::http, http<&judge_gzip>},
    {"caching", Family::http, http<&judge_caching>},
    {"http-clock", Family::http, http<&judge_http_clock>},
    {"pg-connect", Family::pg, pg<&judge_pg_connect>},
    {"pg-version", Family::pg, pg<&judge_pg_version>},
    {"wal-level", Family::pg, pg<&judge_wal_level>},
    {"free-slots", Family::pg, pg<&judge_free_slots>},
    {"free-senders", Family::pg, pg<&judge_free_senders>},
    {"slots", Family::pg, pg<&judge_slots>},
    {"wal-keep", Family::pg, pg<&judge_wal_keep>},
    {"sender-timeout", Family::pg, pg<&judge_sender_timeout>},
    {"publications", Family::pg, pg<&judge_publications>},
    {"privilege", Family::pg, pg<&judge_privilege>},
    {"notify-queue", Family::pg, pg<&judge_notify_queue>},
    {"pg-clock", Family::pg, pg<&judge_pg_clock>},
    {"redis-connect", Family::redis, redis<&judge_redis_connect>},
    {"redis-version", Family::redis, redis<&judge_redis_version>},
    {"redis-output", Family::redis, redis<&judge_redis_output>},
    {"redis-memory", Family::redis, redis<&judge_redis_memory>},
    {"descriptors", Family::machine, machine<&judge_descriptors>},
    {"ports", Family::machine, machine<&judge_ports>},
    {"somaxconn", Family::machine, machine<&judge_somaxconn>},
    {"syn-backlog", Family::machine, machine<&judge_syn_backlog>},
    {"conntrack", Family::machine, machine<&judge_conntrack>},
};

}  // namespace

std::span<const Check> doctor_checks() {
  return kChecks;
}

}  // namespace rt::rtctl

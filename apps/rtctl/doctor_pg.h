// What a database looks like to those who stream its changes. Judgements are pure; what they judge
// is read by measure_pg() over one ordinary connection. PostgreSQL documentation, "Replication"
// and the views pg_replication_slots, pg_publication_tables, pg_settings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "rtctl/doctor_finding.h"

namespace rt::rtctl {

struct PgSlot {
  std::string name;
  bool active = false;
  std::uint64_t lag_bytes = 0;
  std::string wal_status;  // reserved, extended, unreserved, lost
};

struct PgPublished {
  std::string publication;
  std::string table;          // "public.task_run"; empty: the publication has none
  char identity = 'd';        // pg_class.relreplident
  bool has_key = false;       // a primary key
  bool sends_changes = true;  // updates or deletes are published
};

struct PgFacts {
  std::optional<Error> failure;  // there is no connection; nothing below is known
  std::string endpoint;
  Duration connected{};
  int version = 0;  // 150018
  bool standby = false;
  std::string wal_level;
  std::uint64_t slots_max = 0;
  std::uint64_t senders_max = 0;
  std::uint64_t senders = 0;
  std::uint64_t sender_timeout_ms = 0;
  std::int64_t slot_keep_mb = -1;  // max_slot_wal_keep_size; -1: no limit
  std::vector<PgSlot> slots;
  std::vector<PgPublished> published;
  std::string role;
  bool may_replicate = false;
  double notify_usage = 0;  // 0 to 1
  Duration clock_offset{};  // the server's clock minus ours
  Duration clock_error{};
};

Finding judge_pg_connect(const PgFacts& facts);
Finding judge_pg_version(const PgFacts& facts);
Finding judge_wal_level(const PgFacts& facts);
Finding judge_free_slots(const PgFacts& facts);
Finding judge_free_senders(const PgFacts& facts);
Finding judge_slots(const PgFacts& facts);
Finding judge_wal_keep(const PgFacts& facts);
Finding judge_sender_timeout(const PgFacts& facts);
Finding judge_publications(const PgFacts& facts);
Finding judge_privilege(const PgFacts& facts);
Finding judge_notify_queue(const PgFacts& facts);
Finding judge_pg_clock(const PgFacts& facts);

// A connection that fails is a fact; a query that fails is an error.
Result<PgFacts> measure_pg(const std::string& dsn);

}  // namespace rt::rtctl

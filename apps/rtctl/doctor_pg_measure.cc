// What `rtctl doctor` asks a database.
#include <charconv>

#include "base/text.h"
#include "pg/connection.h"
#include "rtctl/doctor_pg.h"

namespace rt::rtctl {
namespace {

template <typename Number>
Number number(std::string_view text, Number otherwise) {
  std::from_chars(text.data(), text.data() + text.size(), otherwise);
  return otherwise;
}

Result<void> read_settings(Connection& connection, PgFacts& facts) {
  const Rows rows = RT_TRY(connection.query(
      "SELECT name, setting, pg_catalog.pg_is_in_recovery() FROM pg_catalog.pg_settings "
      "WHERE name IN ('wal_level', 'max_replication_slots', 'max_wal_senders', "
      "'wal_sender_timeout', 'max_slot_wal_keep_size')",
      "cannot read the settings"));
  for (int row = 0; row < rows.size(); ++row) {
    const std::string_view name = rows.text(row, 0);
    const std::string_view value = rows.text(row, 1);
    facts.standby = rows.text(row, 2) == "t";
    if (name == "wal_level") facts.wal_level = value;
    if (name == "max_replication_slots") facts.slots_max = number<std::uint64_t>(value, 0);
    if (name == "max_wal_senders") facts.senders_max = number<std::uint64_t>(value, 0);
    if (name == "wal_sender_timeout") facts.sender_timeout_ms = number<std::uint64_t>(value, 0);
    if (name == "max_slot_wal_keep_size") facts.slot_keep_mb = number<std::int64_t>(value, -1);
  }
  return {};
}

Result<void> read_slots(Connection& connection, PgFacts& facts) {
  const std::string end =
      facts.standby ? "pg_catalog.pg_last_wal_replay_lsn()" : "pg_catalog.pg_current_wal_lsn()";
  const Rows rows =
      RT_TRY(connection.query("SELECT slot_name, active, coalesce(wal_status, ''), greatest(0, "
                              "coalesce(pg_catalog.pg_wal_lsn_diff(" +
                                  end +
                                  ", coalesce(confirmed_flush_lsn, restart_lsn)), 0))::bigint "
                                  "FROM pg_catalog.pg_replication_slots ORDER BY 1",
                              "cannot read the replication slots"));
  for (int row = 0; row < rows.size(); ++row) {
    facts.slots.push_back({std::string(rows.text(row, 0)), rows.text(row, 1) == "t",
                           number<std::uint64_t>(rows.text(row, 3), 0),
                           std::string(rows.text(row, 2))});
  }
  const Rows senders = RT_TRY(connection.query(
      "SELECT count(*) FROM pg_catalog.pg_stat_get_wal_senders()", "cannot count WAL senders"));
  facts.senders = number<std::uint64_t>(senders.text(0, 0), 0);
  return {};
}

Result<void> read_publications(Connection& connection, PgFacts& facts) {
  const Rows rows = RT_TRY(connection.query(
      "SELECT p.pubname, CASE WHEN c.oid IS NOT NULL THEN format('%I.%I', n.nspname, c.relname) "
      "END, c.relreplident, EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid "
      "AND i.indisprimary), p.pubupdate OR p.pubdelete FROM pg_catalog.pg_publication p "
      "LEFT JOIN pg_catalog.pg_publication_tables t ON t.pubname = p.pubname "
      "LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname "
      "LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename "
      "ORDER BY 1, 2",
      "cannot read the publications"));
  for (int row = 0; row < rows.size(); ++row) {
    PgPublished& one = facts.published.emplace_back();
    one.publication = rows.text(row, 0);
    one.table = rows.text(row, 1);
    if (!rows.text(row, 2).empty()) one.identity = rows.text(row, 2).front();
    one.has_key = rows.text(row, 3) == "t";
    one.sends_changes = rows.text(row, 4) == "t";
  }
  return {};
}

// Managed services hand the privilege out by membership in a role of their own.
Result<void> read_role(Connection& connection, PgFacts& facts) {
  const Rows rows = RT_TRY(
      connection.query("SELECT current_user, bool_or(r.rolreplication OR r.rolsuper OR "
                       "coalesce(pg_catalog.pg_has_role(current_user, m.oid, 'member'), false)), "
                       "pg_catalog.pg_notification_queue_usage() FROM pg_catalog.pg_roles r "
                       "LEFT JOIN pg_catalog.pg_roles m "
                       "ON m.rolname IN ('rds_replication', 'rds_superuser', 'azure_pg_admin') "
                       "WHERE r.rolname = current_user",
                       "cannot read the privileges"));
  facts.role = rows.text(0, 0);
  facts.may_replicate = rows.text(0, 1) == "t";
  facts.notify_usage = number<double>(rows.text(0, 2), 0);
  return {};
}

// Asked several times: the shortest round trip has the smallest error.
Result<void> read_clock(Connection& connection, PgFacts& facts) {
  constexpr int kRounds = 5;
  const SystemClock clock;
  for (int round = 0; round < kRounds; ++round) {
    const WallTime before = clock.wall();
    const Rows rows = RT_TRY(connection.query(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", "cannot ask the time"));
    const WallTime after = clock.wall();
    const Duration error = (after - before) / 2;
    if (round > 0 && error >= facts.clock_error) continue;
    facts.clock_error = error;
    facts.clock_offset =
        from_unix_us(number<std::int64_t>(rows.text(0, 0), 0)) - (before + (after - before) / 2);
  }
  return {};
}

}  // namespace

Result<PgFacts> measure_pg(const std::string& dsn) {
  PgFacts facts;
  const SystemClock clock;
  const Instant begun = clock.now();
  auto connected = Connection::connect(dsn, {.application_name = "rtctl doctor"});
  if (!connected) {
    facts.failure = connected.error();
    return facts;
  }
  Connection connection = std::move(connected).value();
  facts.connected = clock.now() - begun;
  facts.endpoint = connection.endpoint();
  facts.version = connection.server_version();
  RT_CHECKED(read_settings(connection, facts));
  RT_CHECKED(read_slots(connection, facts));
  RT_CHECKED(read_publications(connection, facts));
  RT_CHECKED(read_role(connection, facts));
  RT_CHECKED(read_clock(connection, facts));
  return facts;
}

}  // namespace rt::rtctl

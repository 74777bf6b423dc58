#include "pg/slot.h"

#include <fmt/format.h>

#include <chrono>

#include "base/text.h"
#include "pg/names.h"

namespace rt {

namespace {

constexpr std::chrono::seconds kWaitingReport{2};

}  // namespace

Result<ServerIdentity> identify_server(Connection& connection) {
  constexpr std::string_view kAttempt = "cannot identify the server";
  const Rows rows = RT_TRY(connection.query("IDENTIFY_SYSTEM", kAttempt));
  if (rows.size() != 1 || rows.columns() < 4) {
    return fail(Code::refused, fmt::format("{}: odd answer to IDENTIFY_SYSTEM", kAttempt));
  }
  ServerIdentity identity;
  identity.system_id = parse_decimal(rows.text(0, 0)).value_or(0);
  identity.timeline = static_cast<std::uint32_t>(parse_decimal(rows.text(0, 1)).value_or(0));
  identity.wal_end = parse_lsn(rows.text(0, 2)).value_or(0);
  identity.database = rows.text(0, 3);
  identity.version = connection.server_version();
  return identity;
}

Result<void> check_same_server(const ServerIdentity& found, const ExpectedServer& expected) {
  constexpr std::string_view kHint =
      "start anew with a fresh snapshot (empty history, new slot), or connect to the former server";
  if (expected.system_id != 0 && expected.system_id != found.system_id) {
    return fail(
        Code::refused,
        fmt::format("cannot resume: this is another database cluster (system identifier {}, "
                    "expected {})",
                    found.system_id, expected.system_id),
        std::string(kHint));
  }
  const bool other_history =
      expected.same_timeline && expected.timeline != 0 && expected.timeline != found.timeline;
  if (expected.timeline > found.timeline || other_history) {
    return fail(Code::refused,
                fmt::format("cannot resume: the server is on timeline {}, our data on {}",
                            found.timeline, expected.timeline),
                std::string(kHint));
  }
  if (expected.end_lsn > found.wal_end) {
    return fail(Code::refused,
                fmt::format("cannot resume: the server's WAL ends at {}, before our position {}",
                            lsn_text(found.wal_end), lsn_text(expected.end_lsn)),
                std::string(kHint));
  }
  return {};
}

Result<std::optional<SlotState>> read_slot(Connection& connection, const std::string& name) {
  const std::string sql = fmt::format(
      "SELECT plugin, database, confirmed_flush_lsn, active_pid, temporary, wal_status = 'lost', "
      "{} "
      "FROM pg_catalog.pg_replication_slots WHERE slot_name = {}",
      connection.server_version() >= 140000 ? "two_phase" : "false", connection.literal(name));
  const Rows rows = RT_TRY(connection.query(sql, "cannot look up the replication slot"));
  if (rows.size() == 0) return std::nullopt;
  SlotState slot;
  slot.plugin = rows.text(0, 0);
  slot.database = rows.text(0, 1);
  slot.confirmed_flush = parse_lsn(rows.text(0, 2)).value_or(0);
  slot.active_pid = static_cast<int>(parse_decimal(rows.text(0, 3)).value_or(0));
  slot.temporary = rows.text(0, 4) == "t";
  slot.lost = rows.text(0, 5) == "t";
  slot.two_phase = rows.text(0, 6) == "t";
  return slot;
}

Result<void> check_slot(const SlotState& slot, const std::string& name,
                        const std::string& database) {
  if (slot.plugin != "pgoutput") {
    return fail(
        Code::refused,
        slot.plugin.empty()
            ? fmt::format("slot \"{}\" is a physical replication slot", name)
            : fmt::format("slot \"{}\" belongs to the plugin {}, not pgoutput", name, slot.plugin),
        "name another slot");
  }
  if (slot.database != database) {
    return fail(
        Code::refused,
        fmt::format("slot \"{}\" belongs to database {}, not {}", name, slot.database, database),
        "name another slot");
  }
  if (slot.lost) {
    return fail(Code::integrity,
                fmt::format("slot \"{}\" is lost: the server has removed WAL after {} that it "
                            "needs; changes are missing for good",
                            name, lsn_text(slot.confirmed_flush)),
                "drop it with pg_drop_replication_slot and start with a fresh snapshot; a larger "
                "max_slot_wal_keep_size keeps it alive for longer");
  }
  return {};
}

Error slot_in_use(const std::string& name, int active_pid) {
  return Error{Code::refused, fmt::format("slot \"{}\" is in use by process {}", name, active_pid),
               "stop that consumer, or name another slot: one slot serves one consumer"};
}

Result<std::uint64_t> create_slot(Connection& connection, const NewSlot& slot,
                                  const std::function<void()>& waiting) {
  RT_CHECKED(check_slot_name(slot.name));
  const std::string attempt = fmt::format("cannot create slot \"{}\"", slot.name);
  // The old spelling without parentheses: servers before 15 know no other.
  const std::string sql = fmt::format(
      "CREATE_REPLICATION_SLOT {} {} LOGICAL pgoutput {}", quote_identifier(slot.name),
      slot.temporary ? "TEMPORARY" : "", slot.use_snapshot ? "USE_SNAPSHOT" : "NOEXPORT_SNAPSHOT");
  RT_CHECKED(connection.send(sql, attempt));
  const SystemClock clock;
  while (!RT_TRY(connection.ready(clock.now() + kWaitingReport, attempt))) {
    if (waiting) waiting();
  }
  const Rows rows = RT_TRY(connection.receive(attempt));
  const auto point = rows.size() == 1 ? parse_lsn(rows.text(0, 1)) : std::nullopt;
  if (!point) return fail(Code::refused, fmt::format("{}: odd answer", attempt));
  return *point;
}

Result<void> drop_slot(Connection& connection, const std::string& name) {
  return connection.exec(fmt::format("DROP_REPLICATION_SLOT {} WAIT", quote_identifier(name)),
                         fmt::format("cannot drop slot \"{}\"", name));
}

Result<std::string> oldest_transaction(Connection& connection) {
  const Rows rows = RT_TRY(
      connection.query("SELECT pid, coalesce(nullif(application_name, ''), 'unnamed'), state, "
                       "floor(extract(epoch from clock_timestamp() - xact_start))::bigint "
                       "FROM pg_catalog.pg_stat_activity WHERE backend_xid IS NOT NULL "
                       "AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 1",
                       "cannot look up running transactions"));
  if (rows.size() == 0) return std::string();
  return fmt::format("process {} ({}, {}, {} s old)", rows.text(0, 0), rows.text(0, 1),
                     rows.text(0, 2), rows.text(0, 3));
}

Result<std::chrono::milliseconds> wal_sender_timeout(Connection& connection) {
  const Rows rows = RT_TRY(connection.query(
      "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'",
      "cannot read wal_sender_timeout"));
  const std::uint64_t ms = rows.size() == 1 ? parse_decimal(rows.text(0, 0)).value_or(0) : 0;
  return std::chrono::milliseconds(static_cast<std::int64_t>(ms));
}

}  // namespace rt

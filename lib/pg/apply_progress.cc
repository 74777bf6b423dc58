#include "pg/apply_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"

namespace rt {
namespace {

constexpr const char* kStatement = "rt_progress";
constexpr const char* kAttempt = "cannot remember the progress";
// A player that was killed lives on in the server until it has done what it was sent.
constexpr Duration kPatience = std::chrono::seconds(30);
constexpr Duration kAgain = std::chrono::milliseconds(100);
// Any number: what our advisory locks have in common.
constexpr int kLockClass = 0x72747270;

bool says(const Error& error, std::string_view sqlstate) {
  return error.text.find(fmt::format("({})", sqlstate)) != std::string::npos;
}

// No right to origins, none configured (max_replication_slots = 0), or all of them in use.
bool is_without_origins(const Error& error) {
  return says(error, "42501") || says(error, "55000") || says(error, "53400");
}

}  // namespace

Result<ApplyProgress> ApplyProgress::open(Connection& connection, const std::string& name,
                                          const Clock& clock) {
  ApplyProgress progress(name, clock);
  RT_TRY(progress.read_table(connection));
  progress.by_origin_ = RT_TRY(progress.open_origin(connection));
  if (!progress.by_origin_) RT_CHECKED(progress.open_table(connection));
  return progress;
}

// Tries until nobody else holds the name. What it returns: true or false at once, an error that
// says "in use" again soon.
template <typename Try>
Result<bool> ApplyProgress::until_free(Connection& connection, Try&& attempt) {
  const Instant end = clock_->now() + kPatience;
  for (;;) {
    auto tried = attempt();
    if (tried || !says(tried.error(), "55006")) return tried;
    if (clock_->now() >= end) {
      return fail(std::move(tried).error().with_hint(
          "another play of this recording into this database is under way"));
    }
    RT_TRY(connection.wait(0, clock_->now() + kAgain, kAttempt));
  }
}

Result<bool> ApplyProgress::open_origin(Connection& connection) {
  const auto opened = until_free(connection, [&]() -> Result<bool> {
    RT_TRY(
        connection.query("SELECT pg_catalog.pg_replication_origin_create($1) "
                         "WHERE pg_catalog.pg_replication_origin_oid($1) IS NULL",
                         {name_}, kAttempt));
    RT_TRY(connection.query("SELECT pg_catalog.pg_replication_origin_session_setup($1)", {name_},
                            kAttempt));
    return true;
  });
  if (!opened) return is_without_origins(opened.error()) ? Result<bool>(false) : opened;
  const Rows rows = RT_TRY(
      connection.query("SELECT pg_catalog.pg_replication_origin_session_progress(true)", kAttempt));
  if (rows.size() == 1) lsn_ = std::max(lsn_, parse_lsn(rows.text(0, 0)).value_or(0));
  return true;
}

Result<void> ApplyProgress::open_table(Connection& connection) {
  if (!RT_TRY(read_table(connection))) {
    // Little room in each page, so that an update finds place in the same one.
    RT_CHECKED(connection
                   .exec("CREATE SCHEMA IF NOT EXISTS rtreplay; "
                         "CREATE TABLE IF NOT EXISTS rtreplay.progress (name text PRIMARY KEY, "
                         "lsn pg_lsn NOT NULL, committed timestamptz) WITH (fillfactor = 10)",
                         kAttempt)
                   .map_error([](Error error) {
                     return std::move(error).with_hint(
                         "let the role use replication origins or create schema rtreplay");
                   }));
  }
  const auto held = until_free(connection, [&]() -> Result<bool> {
    const Rows rows = RT_TRY(connection.query(
        fmt::format("SELECT pg_catalog.pg_try_advisory_lock({}, pg_catalog.hashtext($1))",
                    kLockClass),
        {name_}, kAttempt));
    if (rows.text(0, 0) == "t") return true;
    return fail(Code::unreachable,
                fmt::format("{} on {}: it is in use (55006)", kAttempt, connection.endpoint()));
  });
  if (!held) return fail(held.error());
  RT_TRY(connection.query(
      "INSERT INTO rtreplay.progress (name, lsn) VALUES ($1, '0/0') ON CONFLICT DO NOTHING",
      {name_}, kAttempt));
  RT_TRY(read_table(connection));
  return {};
}

// Also where an origin will be used: an earlier run may have had fewer rights.
Result<bool> ApplyProgress::read_table(Connection& connection) {
  const Rows there = RT_TRY(connection.query(
      "SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
      "WHERE n.nspname = 'rtreplay' AND c.relname = 'progress' "
      "AND pg_catalog.has_schema_privilege(n.oid, 'usage') "
      "AND pg_catalog.has_table_privilege(c.oid, 'select')",
      kAttempt));
  if (there.size() == 0) return false;
  const Rows rows = RT_TRY(
      connection.query("SELECT lsn FROM rtreplay.progress WHERE name = $1", {name_}, kAttempt));
  if (rows.size() == 1) lsn_ = std::max(lsn_, parse_lsn(rows.text(0, 0)).value_or(0));
  return true;
}

Result<void> ApplyProgress::prepare(ApplyWindow& window) {
  return window.prepare(
      kStatement,
      by_origin_ ? "SELECT pg_catalog.pg_replication_origin_xact_setup($1::pg_lsn, $2::timestamptz)"
                 : "UPDATE rtreplay.progress SET lsn = $1::pg_lsn, committed = $2::timestamptz "
                   "WHERE name = $3::text",
      {});
}

Result<void> ApplyProgress::send(ApplyWindow& window, std::uint64_t lsn,
                                 std::int64_t committed_pg_us) {
  arguments_.clear();
  arguments_.add_int64(lsn);
  arguments_.add_int64(static_cast<std::uint64_t>(committed_pg_us));
  if (!by_origin_) arguments_.add_text(name_);
  ApplyStep step;
  step.kind = ApplyStep::Kind::progress;
  step.at = {lsn, Position::kEnd};
  return window.send(kStatement, arguments_, step);
}

Result<void> ApplyProgress::set(Connection& connection, std::uint64_t lsn) {
  const char* sql = by_origin_ ? "SELECT pg_catalog.pg_replication_origin_xact_setup($1, now())"
                               : "UPDATE rtreplay.progress SET lsn = $1, committed = now() "
                                 "WHERE name = $2";
  Parameters parameters = {lsn_text(lsn)};
  if (!by_origin_) parameters.emplace_back(name_);
  RT_TRY(connection.query(sql, parameters, kAttempt));
  lsn_ = lsn;
  return {};
}

Result<void> ApplyProgress::make_durable(Connection& connection) {
  if (by_origin_) {
    return connection.exec("SELECT pg_catalog.pg_replication_origin_session_progress(true)",
                           kAttempt);
  }
  RT_CHECKED(connection.exec("SET synchronous_commit = on", kAttempt));
  RT_TRY(connection.query("UPDATE rtreplay.progress SET lsn = lsn WHERE name = $1", {name_},
                          kAttempt));
  return {};
}

}  // namespace rt

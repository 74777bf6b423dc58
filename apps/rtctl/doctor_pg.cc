#include "rtctl/doctor_pg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"

namespace rt::rtctl {
namespace {

constexpr double kMegabyte = 1 << 20;

// How many of `max` are taken. `what`: "replication slots".
Finding judge_free(std::uint64_t used, std::uint64_t max, const char* what, const char* setting) {
  const std::string text = fmt::format("{} of {} {} in use", used, max, what);
  const std::string fix =
      fmt::format("ALTER SYSTEM SET {} = {}; then restart PostgreSQL", setting, max + 10);
  if (used >= max) return found_fail(text, fix);
  if (used + 1 == max) return found_warn(text + ": the last one is free", fix);
  return found_ok(text);
}

}  // namespace

Finding judge_pg_connect(const PgFacts& facts) {
  if (!facts.failure) {
    return found_ok(fmt::format("{} in {}", facts.endpoint, format_duration(facts.connected)));
  }
  const bool away = facts.failure->code == Code::unreachable;
  const std::string check = "check host and port: pg_isready -d \"$RT_PG\"";
  return found_fail(facts.failure->text, away || facts.failure->hint.empty()
                                             ? "start it, or " + check
                                             : facts.failure->hint);
}

Finding judge_pg_version(const PgFacts& facts) {
  const int major = facts.version / 10'000;
  const std::string text = fmt::format("PostgreSQL {}.{}{}", major, facts.version % 10'000,
                                       facts.standby ? ", a standby" : "");
  if (major < 14) return found_fail(text, "use PostgreSQL 14 or later");
  if (facts.standby && major < 16) {
    return found_fail(text + ": it cannot decode before version 16", "connect to the primary");
  }
  return found_ok(text);
}

Finding judge_wal_level(const PgFacts& facts) {
  if (facts.wal_level == "logical") return found_ok("logical");
  return found_fail(fmt::format("wal_level is {}, not logical", facts.wal_level),
                    "ALTER SYSTEM SET wal_level = logical; then restart PostgreSQL");
}

Finding judge_free_slots(const PgFacts& facts) {
  return judge_free(facts.slots.size(), facts.slots_max, "replication slots",
                    "max_replication_slots");
}

Finding judge_free_senders(const PgFacts& facts) {
  return judge_free(facts.senders, facts.senders_max, "WAL senders", "max_wal_senders");
}

Finding judge_slots(const PgFacts& facts) {
  if (facts.slots.empty()) return found_ok("no slot holds WAL back");
  const PgSlot* worst = &facts.slots.front();
  for (const PgSlot& slot : facts.slots) {
    const std::string drop = fmt::format("SELECT pg_drop_replication_slot('{}')", slot.name);
    if (slot.wal_status == "lost") {
      return found_fail(fmt::format("slot \"{}\" is lost: WAL that it needs is gone", slot.name),
                        drop + "; then start its consumer with a fresh snapshot");
    }
    if (slot.wal_status == "unreserved") {
      return found_fail(fmt::format("slot \"{}\" is about to be lost, {} behind", slot.name,
                                    format_bytes(static_cast<double>(slot.lag_bytes))),
                        "start its consumer now, or raise max_slot_wal_keep_size");
    }
    if (slot.lag_bytes > worst->lag_bytes) worst = &slot;
  }
  const auto lag = static_cast<double>(worst->lag_bytes);
  const std::string text =
      fmt::format("{} {}, \"{}\" ({}) is furthest behind: {}", facts.slots.size(),
                  facts.slots.size() == 1 ? "slot" : "slots", worst->name,
                  worst->active ? "active" : "not active", format_bytes(lag));
  constexpr double kIdleLag = 16 * kMegabyte;    // one WAL segment
  constexpr double kBusyLag = 1024 * kMegabyte;  // minutes, at a rate that is sustained
  if (!worst->active && lag > kIdleLag) {
    return found_warn(
        text,
        fmt::format("start its consumer, or SELECT pg_drop_replication_slot('{}')", worst->name));
  }
  if (lag > kBusyLag) {
    return found_warn(text, "its consumer does not keep up: look at its processor and its disk");
  }
  return found_ok(text);
}

Finding judge_wal_keep(const PgFacts& facts) {
  if (facts.slot_keep_mb >= 0) {
    return found_ok(fmt::format("a slot may hold {} back",
                                format_bytes(static_cast<double>(facts.slot_keep_mb) * kMegabyte)));
  }
  return found_warn("a slot that nobody reads fills the disk: max_slot_wal_keep_size is -1",
                    "ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'; SELECT pg_reload_conf()");
}

Finding judge_sender_timeout(const PgFacts& facts) {
  const std::uint64_t ms = facts.sender_timeout_ms;
  if (ms == 0) {
    return found_warn("wal_sender_timeout is off: a dead consumer keeps its slot busy",
                      "ALTER SYSTEM SET wal_sender_timeout = '60s'; SELECT pg_reload_conf()");
  }
  constexpr std::uint64_t kShortMs = 5'000;
  const std::string text = format_duration(std::chrono::milliseconds(ms));
  if (ms < kShortMs) {
    return found_warn(text + " is short: a pause of the consumer ends its stream",
                      "ALTER SYSTEM SET wal_sender_timeout = '60s'; SELECT pg_reload_conf()");
  }
  return found_ok(text);
}

Finding judge_publications(const PgFacts& facts) {
  if (facts.published.empty()) {
    return found_warn("there is no publication", "rtctl setup --pg DSN, or CREATE PUBLICATION");
  }
  const PgPublished* partial = nullptr;
  for (const PgPublished& one : facts.published) {
    if (one.table.empty()) {
      return found_warn(fmt::format("publication \"{}\" has no table", one.publication),
                        fmt::format("ALTER PUBLICATION {} ADD TABLE ...", one.publication));
    }
    const std::string fix = fmt::format("ALTER TABLE {} REPLICA IDENTITY FULL", one.table);
    const bool has_identity = one.identity != 'n' && (one.identity != 'd' || one.has_key);
    if (one.sends_changes && !has_identity) {
      return found_fail(
          fmt::format("{} has no replica identity: UPDATE and DELETE fail there", one.table), fix);
    }
    if (one.sends_changes && one.identity != 'f') partial = &one;
  }
  if (partial != nullptr) {
    return found_warn(
        fmt::format("{} tells only the key of old rows, not their columns", partial->table),
        fmt::format("ALTER TABLE {} REPLICA IDENTITY FULL", partial->table));
  }
  return found_ok(fmt::format("{} published {}, each with its whole old row",
                              facts.published.size(),
                              facts.published.size() == 1 ? "table" : "tables"));
}

Finding judge_privilege(const PgFacts& facts) {
  if (facts.may_replicate) return found_ok(fmt::format("role {} may replicate", facts.role));
  return found_fail(fmt::format("role {} may not replicate", facts.role),
                    fmt::format("as a superuser: ALTER ROLE \"{}\" REPLICATION", facts.role));
}

Finding judge_notify_queue(const PgFacts& facts) {
  const std::string text =
      fmt::format("the NOTIFY queue is {:.1f} % full", facts.notify_usage * 100);
  const std::string fix =
      "end the oldest transaction of a listener: SELECT pid, xact_start FROM pg_stat_activity";
  if (facts.notify_usage > 0.5) return found_fail(text, fix);
  if (facts.notify_usage > 0.05) return found_warn(text, fix);
  return found_ok(text);
}

Finding judge_pg_clock(const PgFacts& facts) {
  const double offset_ms = std::chrono::duration<double, std::milli>(facts.clock_offset).count();
  const double error_ms = std::chrono::duration<double, std::milli>(facts.clock_error).count();
  const std::string text = fmt::format("the database's clock is {:+.1f} ms from ours (± {:.1f} ms)",
                                       offset_ms, error_ms);
  const double sure_ms = std::abs(offset_ms) - error_ms;
  constexpr double kWarnMs = 50;  // latencies that are measured across the two are wrong by it
  constexpr double kFailMs = 10'000;
  const std::string fix = "set the clocks: timedatectl set-ntp true";
  if (sure_ms > kFailMs) return found_fail(text, fix);
  if (sure_ms > kWarnMs) return found_warn(text, fix);
  return found_ok(text);
}

}  // namespace rt::rtctl

// Replication commands before the stream starts: who the server is, what a slot's state is, making
// one. PostgreSQL documentation, "Streaming Replication Protocol" and "pg_replication_slots".
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "pg/connection.h"

namespace rt {

struct ServerIdentity {
  std::uint64_t system_id = 0;  // of the cluster; survives everything but initdb and pg_resetwal
  std::uint32_t timeline = 0;   // rises with each failover or recovery
  std::uint64_t wal_end = 0;    // flushed so far
  std::string database;
  int version = 0;  // 150018 for 15.18
};

// Needs a replication connection.
Result<ServerIdentity> identify_server(Connection& connection);

// What we know of the server whose stream we hold already; 0 means: nothing.
struct ExpectedServer {
  std::uint64_t system_id = 0;
  std::uint32_t timeline = 0;
  std::uint64_t end_lsn = 0;  // end of the last transaction we hold
  // A newer timeline is another history from some point on, which a recording cannot hold.
  bool same_timeline = false;
};
// Refuses (Code::refused) another cluster, an older timeline, and a server whose WAL ends before
// what we hold: it would accept our position in silence and skip every change up to there.
Result<void> check_same_server(const ServerIdentity& found, const ExpectedServer& expected);

struct SlotState {
  std::string plugin;
  std::string database;
  std::uint64_t confirmed_flush = 0;
  int active_pid = 0;  // 0: nobody uses it
  bool temporary = false;
  bool lost = false;  // WAL it needs is gone
  // It was read with two_phase once: what was prepared then does not come again when it commits.
  bool two_phase = false;
};
// nullopt when there is no such slot.
Result<std::optional<SlotState>> read_slot(Connection& connection, const std::string& name);
// Refuses a slot of another plugin or database, and one that is lost (Code::integrity).
Result<void> check_slot(const SlotState& slot, const std::string& name,
                        const std::string& database);
// `slot "x" is in use by process 4711`, Code::refused.
Error slot_in_use(const std::string& name, int active_pid);

struct NewSlot {
  std::string name;
  bool temporary = false;
  // Run it first in a REPEATABLE READ transaction of the same connection: the transaction then sees
  // the database exactly as of the consistent point.
  bool use_snapshot = false;
};
// Returns the consistent point. Waits until every transaction that runs now has ended; `waiting` is
// called every 2 s meanwhile.
Result<std::uint64_t> create_slot(Connection& connection, const NewSlot& slot,
                                  const std::function<void()>& waiting = {});
// Waits until nobody uses it.
Result<void> drop_slot(Connection& connection, const std::string& name);

// "process 123 (psql, 5 min old)": the transaction that has run longest, "" if none. Needs an
// ordinary or replication connection other than the one that waits.
Result<std::string> oldest_transaction(Connection& connection);

// wal_sender_timeout of this session; zero when it is off.
Result<std::chrono::milliseconds> wal_sender_timeout(Connection& connection);

}  // namespace rt

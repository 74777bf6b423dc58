// How much WAL a slot keeps the server from removing, and how much more it may. PostgreSQL
// documentation, "pg_replication_slots".
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "pg/connection.h"

namespace rt {

struct SlotLag {
  std::uint64_t behind = 0;  // bytes of WAL that its consumer has not confirmed
  std::uint64_t pinned = 0;  // bytes that the server keeps for it: from the oldest open transaction
  // Bytes until the slot is lost, and the limit behind them (max_slot_wal_keep_size); nullopt: it
  // has none.
  std::optional<std::uint64_t> left;
  std::optional<std::uint64_t> limit;
};

// nullopt when there is no such slot, or it is lost.
Result<std::optional<SlotLag>> read_slot_lag(Connection& connection, const std::string& name);

}  // namespace rt

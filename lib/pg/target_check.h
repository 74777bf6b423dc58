// Whether a database may be written to by a replay: where it is, and whether it is the one that is
// being recorded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "pg/connection.h"

namespace rt {

// Each host of the connection string is this machine: a Unix socket, localhost, 127.0.0.0/8 or ::1.
// What the string leaves open is taken from PGHOST and PGHOSTADDR, as libpq does. Code::usage if it
// is malformed.
Result<bool> is_local_database(const std::string& dsn);

// The database belongs to the cluster with that system identifier and has that publication (if it
// is empty: any). nullopt: it does not let us see.
Result<std::optional<bool>> is_recorded_database(Connection& connection, std::uint64_t system_id,
                                                 const std::string& publication);

}  // namespace rt

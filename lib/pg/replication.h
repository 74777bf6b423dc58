// The stream of a logical replication slot: CopyData in, status updates out. It never blocks except
// in wait() and nap(); what to confirm and when is proto/standby_status.h. PostgreSQL
// documentation, "Streaming Replication Protocol", START_REPLICATION ... LOGICAL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "pg/connection.h"
#include "proto/standby_status.h"

namespace rt {

struct StreamStart {
  std::string slot;
  std::string publication;
  // Transactions that committed before this LSN are skipped; a lower one than the slot's is raised
  // to it by the server, a higher one than the end of its WAL silently skips everything up to
  // there.
  std::uint64_t start_lsn = 0;
  bool messages = true;    // pg_logical_emit_message, servers from 14 on
  bool streaming = false;  // protocol 2 with transactions in progress, servers from 14 on
  // Protocol 3: transactions come when they are prepared, servers from 15 on. It stays with the
  // slot.
  bool two_phase = false;
};

// Move-only, one thread.
class ReplicationStream {
 public:
  // Takes a replication connection over. A slot in use is Code::unreachable: it may be free soon.
  static Result<ReplicationStream> start(Connection connection, const StreamStart& start);

  ReplicationStream(ReplicationStream&& other) noexcept;
  ReplicationStream& operator=(ReplicationStream&&) = delete;
  ~ReplicationStream();

  // The next CopyData that libpq holds, valid until the next call; nullopt: fill() and ask again.
  Result<std::optional<std::string_view>> next();
  // Reads what the socket has (16 KiB or so) and sends what is left to send.
  Result<void> fill();
  // Waits until the socket is readable, 100 ms have passed (what another thread confirmed meanwhile
  // wants to be sent), or the deadline; cancelled by cancel_fd.
  Result<void> wait(Instant deadline);
  // Sleeps without looking at the socket, so that messages gather; ends early when cancelled.
  void nap(Duration duration) const;
  // Queues a status update and sends what the socket takes.
  Result<void> send_status(const StandbyPositions& positions, std::int64_t client_time_us,
                           bool reply_requested);

  const Connection& connection() const { return connection_; }

 private:
  explicit ReplicationStream(Connection connection) : connection_(std::move(connection)) {}
  Error ended();

  Connection connection_;
  char* message_ = nullptr;  // libpq's buffer
};

}  // namespace rt

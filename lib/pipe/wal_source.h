// Row changes of PostgreSQL tables as records, from a logical replication slot: initial state
// first, then every committed change in commit order, across lost connections and server restarts.
//
// What is emitted, in order (bodies: base/record.h):
//   wal, prelude     one Relation message per table, made from the catalog; its key flags are the
//   real
//                    primary key, which REPLICA IDENTITY FULL hides in the server's own messages
//   snapshot_begin   body: a JSON object with consistent_point, system_id (both text), timeline,
//                    server_version, database, slot, publication, tables: [{oid, schema, table,
//                    primary_key: []}]
//   snapshot_row...  u32 relation oid (little-endian), one line of COPY text
//   snapshot_end     lsn = the consistent point
//   wal...           pgoutput messages, protocol 1 (2 with `streaming`, 3 with `two_phase`),
//                    verbatim; lsn = XLogData start (may be 0, may repeat)
//   keepalive        at most one a second; body u64 server position, i64 server time in Unix us,
//                    both little-endian; lsn = the server's position
//   abandon          the connection broke inside a transaction, which comes again from its Begin;
//                    lsn = that transaction's commit LSN. With `streaming` at every lost
//                    connection: streamed transactions come again from their start too; lsn 0: only
//                    those
//   gap              changes may be missing before this point; body: the reason
// The prelude precedes snapshot_begin or, without a snapshot, the first change. Identity of a
// change is (commit LSN, index in its transaction): after a crash of this process the server sends
// again what was not confirmed, so a consumer drops what it holds. Within one run() nothing is sent
// twice, except that a non-transactional message may be.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "pg/names.h"
#include "pg/slot.h"
#include "pipe/link_watch.h"
#include "pipe/source.h"

namespace rt {

enum class SnapshotMode : std::uint8_t {
  always,  // at the start of run(), also if the slot exists: what a consumer without state needs
  if_new_slot,  // only if run() creates the slot. A crash during that snapshot leaves a slot
                // without one
  never,        // the consumer holds the state up to start_lsn, or wants changes only
};

struct WalSourceOptions {
  std::string dsn;  // see pg/connection.h
  std::string slot = "rt_slot";
  std::string publication = "rt_publication";
  std::vector<TableName> tables;  // for the snapshot; empty: all of the publication
  bool temporary = false;         // the slot lives as long as the connection: a reconnect is a gap
  SnapshotMode snapshot = SnapshotMode::always;
  std::uint64_t start_lsn = 0;  // resume: end LSN of the last transaction we hold durably
  // The highest position that we may have confirmed, 0 if unknown: a slot that stands beyond it was
  // moved by somebody else, and what lies between is a gap.
  std::uint64_t held_lsn = 0;
  ExpectedServer expected;           // refuses another one; zeros: whatever is there
  bool create_publication = true;    // if missing, for `tables`; tables that it lacks are added
  bool create_slot = true;           // if missing (a temporary one is always created)
  bool retry_first_connect = false;  // false: a database that is down at the start is an error
  std::optional<std::uint32_t> retries_max{};  // failures in a row; 0: a lost connection is the end
  // How long to wait for a slot that somebody else uses: at the start; after a lost connection it
  // is twice the server's wal_sender_timeout, because our own dead connection may still hold it.
  Duration slot_wait{std::chrono::seconds(10)};
  // Records may wait this long for more before they are taken: fewer wake-ups of the taker.
  Duration gather{0};
  bool takeover = false;   // at the start: ends the connection of whoever uses the slot
  bool streaming = false;  // servers from 14 on: large transactions come before they commit
  bool two_phase = false;  // servers from 15 on: transactions come when they are prepared
  // False: the consumer confirms the lsn of keepalive records too, once it has them durably.
  bool confirms_keepalives = true;
  std::string application_name = "realtime";
};

// What a person wants to know meanwhile. Never per event.
struct WalNotice {
  enum class Kind : std::uint8_t {
    setup,         // a slot or publication was created
    snapshot,      // a snapshot began or ended
    streaming,     // connected and reading; `server` is valid
    waiting,       // for a slot, or for running transactions
    reconnecting,  // text says why and when
    warning,
  };
  Kind kind = Kind::setup;
  std::string text;
  ServerIdentity server;
};

class WalSource final : public Source {
 public:
  // Called on a thread of the source's own, seldom.
  using OnNotice = std::function<void(const WalNotice&)>;

  // Caught up means: every transaction that had committed at the start has been handed over.
  explicit WalSource(WalSourceOptions options, OnNotice on_notice = {}, LinkWatch watch = {});

  // Connects, creates what is missing, then streams until stopped, reconnecting with back-off (200
  // ms to 10 s, jittered) for ever, or as often as the options say. Returns an error only for what
  // does not mend itself: password, privilege, wal_level, lost slot, another cluster, or a failing
  // `take`. Once per object. Reading goes on while `take` works, up to 16 MiB ahead; a slow `take`
  // never costs the connection.
  Result<void> run(std::stop_token stop, const Take& take) override;

  // Commit.end_lsn of the last transaction that is durable with us, snapshot_end.lsn once the whole
  // snapshot is, the lsn of a non-transactional message, or of a keepalive when all before it is.
  // The first three must be confirmed: WAL on the server is kept, and its fast shutdown waits, for
  // what is not. Sent within 1 s. Any thread.
  void confirm(std::uint64_t lsn) override;

  // For health reports; any thread.
  bool connected() const { return progress_.connected.load(std::memory_order_relaxed); }
  std::uint64_t last_wal_end() const { return progress_.wal_end.load(std::memory_order_relaxed); }
  // Bytes of WAL that the server has sent up to and we have not confirmed.
  std::uint64_t lag_bytes() const;
  std::uint64_t reconnects() const { return progress_.reconnects.load(std::memory_order_relaxed); }

  // Shared by the taking, the reading and any other thread.
  struct Progress {
    std::atomic<std::uint64_t> confirmed{0};  // written by confirm()
    std::atomic<std::uint64_t> wal_end{0};    // the rest by the reading thread
    std::atomic<std::uint64_t> flushed{0};
    std::atomic<std::uint64_t> reconnects{0};
    std::atomic<bool> connected{false};
  };

 private:
  WalSourceOptions options_;
  OnNotice on_notice_;
  LinkWatch watch_;
  Progress progress_;
};

}  // namespace rt

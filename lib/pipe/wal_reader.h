// The reading half of a WalSource, on a thread of its own: connects, prepares, reads, reconnects.
// Used by pipe/wal_source.cc only.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "pg/connection.h"
#include "pg/published_tables.h"
#include "pg/replication.h"
#include "pg/slot.h"
#include "pipe/backoff.h"
#include "pipe/batch_writer.h"
#include "pipe/wal_source.h"
#include "proto/standby_status.h"

namespace rt {

class WalReader {
 public:
  struct Listeners {
    const WalSource::OnNotice& on_notice;  // called on this thread
    const LinkWatch& watch;                // called by the queue's consumer
  };
  WalReader(const WalSourceOptions& options, const Listeners& listeners,
            WalSource::Progress& progress, BatchQueue& queue, int cancel_fd);

  // Until cancelled (Code::cancelled) or until something breaks that does not mend itself.
  Result<void> run();

 private:
  using Notice = WalNotice::Kind;

  // One connection, from connect to its end.
  Result<void> session();
  Result<void> check_server(Connection& connection);
  // Publication, slot, snapshot: whatever is still missing. Returns the LSN to start from.
  Result<std::uint64_t> prepare(Connection& connection);
  Result<std::optional<SlotState>> free_slot(Connection& connection);
  Result<void> check_resumable(const std::optional<SlotState>& slot) const;
  Result<std::uint64_t> start_without_snapshot(Connection& connection,
                                               const std::optional<SlotState>& slot);
  Result<std::uint64_t> take_snapshot(Connection& connection, const std::optional<SlotState>& slot);
  Result<std::uint64_t> make_slot(Connection& connection, const NewSlot& slot);
  // A slot that somebody else has moved on: what he confirmed is a gap for us.
  void check_own_position(const std::optional<SlotState>& slot);
  Result<void> end_other_consumer(Connection& connection, const SlotState& slot);
  void forget_temporary_slot();
  Result<void> warn_of_settings(Connection& connection);
  void drop_unfinished_slot();

  Result<void> stream(ReplicationStream& stream);
  // Takes what libpq holds; the number of messages.
  Result<std::size_t> take_available(ReplicationStream& stream);
  void accept(const StreamMessage& message, Instant now);
  void note_keepalive(Instant now);
  Result<void> hand_over(ReplicationStream& stream);
  // Not before records have waited for as long as they may.
  Result<void> hand_over_if_due(ReplicationStream& stream);
  Result<void> report_position(ReplicationStream& stream);
  void say_goodbye(ReplicationStream& stream);
  void abandon_transaction();

  Result<void> pause(Duration duration) { return pause_for(duration, cancel_fd_); }
  void notice(Notice kind, std::string text);

  // Once the server is ready to send, before the first record of this connection.
  void tell_open();
  void tell_retry(const Error& reason, Duration delay);
  // Whether this message is the first of what was committed after the start, or the last before.
  bool begins_news(const StreamMessage& message) const;
  bool ends_past(const StreamMessage& message) const;
  Result<void> tell_caught_up(ReplicationStream& stream);

  const WalSourceOptions& options_;
  const WalSource::OnNotice& on_notice_;
  const LinkWatch& watch_;
  WalSource::Progress& progress_;
  BatchWriter writer_;
  const int cancel_fd_;
  SystemClock clock_;
  Random random_;
  Backoff backoff_;  // failures: connections in a row without a message

  ServerIdentity server_;
  ExpectedServer expected_;
  std::vector<PublishedTable> tables_;
  std::optional<StandbyStatus> status_;  // since the first stream was prepared
  std::uint64_t first_lsn_ = 0;          // where the first stream began
  std::uint64_t owned_lsn_ = 0;          // the slot has no reason to stand beyond it
  Duration sender_timeout_{0};
  std::int64_t wall_us_ = 0;                // of the batch of messages being taken
  std::optional<Instant> gathering_since_;  // records wait for more
  Instant keepalive_noted_{};               // at most one a second goes into the stream
  std::uint64_t keepalive_noted_lsn_ = 0;
  std::int64_t keepalive_time_us_ = 0;  // the server's clock in the last one
  int silence_factor_ = 1;              // patience with a server that says nothing for long
  int ended_pid_ = 0;                   // whose connection a takeover has ended
  bool start_refused_ = false;          // the last attempt to start the stream was
  bool reached_ = false;                // a server that could serve us has answered once
  bool snapshot_done_ = false;
  bool created_slot_ = false;
  bool was_open_ = false;       // tell_open() was called, ever
  bool open_told_ = false;      // and for this connection
  std::uint64_t news_lsn_ = 0;  // where the WAL ended at the start
  bool caught_up_ = false;
};

}  // namespace rt

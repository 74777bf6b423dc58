// A consumer's side of the streaming replication protocol, without a socket: which messages arrive
// in CopyData, which position may be confirmed, when the next status update is due, when the server
// is dead. PostgreSQL documentation, "Streaming Replication Protocol" (messages w, k and r). One
// thread. Time is an argument. LSNs are byte positions in the WAL; times are Unix microseconds.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace rt {

// What the server puts into one CopyData message of a replication stream.
struct StreamMessage {
  enum class Kind : std::uint8_t {
    wal,        // 'w' XLogData: payload is one message of the output plugin
    keepalive,  // 'k' primary keepalive
    unknown,    // another letter: to be counted and ignored
  };
  Kind kind = Kind::unknown;
  bool reply_requested = false;     // keepalive only
  std::uint64_t lsn = 0;            // wal: where the message starts; may be 0, may go backwards
  std::uint64_t wal_end = 0;        // the server's position
  std::int64_t server_time_us = 0;  // the server's clock when it sent this
  std::string_view payload;         // wal only; points into the argument of decode_stream_message
};

// Fails with Code::refused on a message that is too short for its letter.
Result<StreamMessage> decode_stream_message(std::string_view copy_data);

struct StandbyPositions {
  std::uint64_t write = 0;  // received
  std::uint64_t flush = 0;  // safe with us: the only one that moves a logical slot
  std::uint64_t apply = 0;
};

// 'r' standby status update, 34 bytes.
inline constexpr std::size_t kStandbyStatusBytes = 34;
std::array<char, kStandbyStatusBytes> encode_standby_status(const StandbyPositions& positions,
                                                            std::int64_t client_time_us,
                                                            bool reply_requested);

// Decides what to confirm and when to say so. It survives reconnects of one consumer
// (reconnected()).
//
// The rule: everything up to Commit.end_lsn of the last transaction that is durable with us may be
// confirmed. When nothing received is undurable and no transaction is open, the position of the
// last keepalive may be confirmed too; otherwise traffic that is not published would pin WAL on the
// server, and its fast shutdown would wait for us for ever.
class StandbyStatus {
 public:
  struct Timing {
    Duration interval{std::chrono::seconds(10)};         // a status at least this often
    Duration confirm_interval{std::chrono::seconds(1)};  // at least this often while flush advances
    Duration reply_spacing{
        std::chrono::milliseconds(10)};          // a server that waits asks in a tight loop
    Duration silence{std::chrono::seconds(60)};  // then ask for a reply; twice this is the end
  };
  // From the server's wal_sender_timeout: interval min(10 s, timeout / 3). Zero means the timeout
  // is off.
  static Timing timing_for(Duration wal_sender_timeout);

  // durable_lsn: what is safe with us already.
  StandbyStatus(const Timing& timing, std::uint64_t durable_lsn, Instant now);

  // A new connection that streams from start_lsn: an open transaction is void, clocks start again,
  // what was received and confirmed stays so.
  void reconnected(const Timing& timing, std::uint64_t start_lsn, Instant now);
  // From now on a keepalive's position counts only when confirmed() names it: for a consumer that
  // notes durably how far it has confirmed, so that it can tell later who else moved the slot.
  void let_consumer_confirm_keepalives() { consumer_confirms_keepalives_ = true; }
  // Something else that must be confirmed first: the end of a snapshot.
  void await(std::uint64_t lsn);

  // One decoded message has arrived. Looks into pgoutput's Begin, Commit, their like of prepared
  // transactions, the stream's brackets and Message only.
  void received(const StreamMessage& message, Instant now);
  // Reading is paused on purpose (the consumer is slow): silence says nothing about the server.
  void not_reading(Instant now) {
    last_heard_ = now;
    asked_ = false;
  }
  // Durable with us up to here: Commit.end_lsn, or the LSN of a non-transactional message. A value
  // above all that was received is cut down to that (and counted): the server would discard what
  // lies between.
  void confirmed(std::uint64_t lsn);

  enum class Due : std::uint8_t { nothing, status, status_with_reply_request, dead };
  Due due(Instant now) const;
  // When due() can next change by itself.
  Instant next_due() const;
  // The update to send now; the caller encodes and sends it.
  StandbyPositions take(Instant now, bool reply_requested);

  std::uint64_t flush_lsn() const;
  std::uint64_t keepalive_lsn() const { return keepalive_end_; }  // of the last one
  bool reply_requested() const { return reply_owed_; }            // by a keepalive, not yet sent
  std::uint64_t received_lsn() const { return received_; }
  std::uint64_t last_wal_end() const { return wal_end_; }
  // Where to start reading again in this process: after the last whole transaction (or message)
  // received.
  std::uint64_t resume_lsn() const { return resume_; }
  bool in_transaction() const { return in_transaction_; }
  std::uint64_t open_transaction_lsn() const { return open_final_lsn_; }  // Begin.final_lsn
  std::uint64_t confirmations_cut() const { return confirmations_cut_; }

 private:
  bool undurable() const { return in_transaction_ || durable_ < awaited_; }
  void received_payload(std::string_view payload, std::uint64_t lsn);
  Instant flush_due() const;

  Timing timing_;
  std::uint64_t durable_ = 0;        // confirmed by the consumer
  std::uint64_t awaited_ = 0;        // must be confirmed before keepalives count
  std::uint64_t received_ = 0;       // highest position heard of: the bound of every confirmation
  std::uint64_t keepalive_end_ = 0;  // position of the last keepalive
  std::uint64_t wal_end_ = 0;
  std::uint64_t resume_ = 0;
  std::uint64_t open_final_lsn_ = 0;
  std::uint64_t flush_sent_ = 0;
  std::uint64_t confirmations_cut_ = 0;
  Instant last_heard_;
  Instant last_sent_;
  Instant asked_at_;
  bool consumer_confirms_keepalives_ = false;
  bool in_transaction_ = false;
  bool in_stream_ = false;
  bool reply_owed_ = false;
  bool asked_ = false;
};

}  // namespace rt

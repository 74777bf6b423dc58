#include "proto/standby_status.h"

#include <algorithm>
#include <cstddef>

#include "proto/big_endian.h"

namespace rt {

namespace {

constexpr std::size_t kWalHeaderBytes = 1 + 8 + 8 + 8;
constexpr std::size_t kKeepaliveBytes = 1 + 8 + 8 + 1;

std::uint64_t read_u64(std::string_view bytes, std::size_t at) {
  return load_big_endian<std::uint64_t>(bytes.data() + at);
}

// Wraps instead of overflowing: the bytes come from the network.
std::int64_t to_unix_us(std::uint64_t postgres_us) {
  return static_cast<std::int64_t>(postgres_us +
                                   static_cast<std::uint64_t>(kPostgresEpochOffsetUs));
}

}  // namespace

Result<StreamMessage> decode_stream_message(std::string_view copy_data) {
  StreamMessage message;
  if (copy_data.empty()) return fail(Code::refused, "empty message in a replication stream");
  if (copy_data[0] == 'w') {
    if (copy_data.size() < kWalHeaderBytes) {
      return fail(Code::refused, "truncated XLogData message in a replication stream");
    }
    message.kind = StreamMessage::Kind::wal;
    message.lsn = read_u64(copy_data, 1);
    message.wal_end = read_u64(copy_data, 9);
    message.server_time_us = to_unix_us(read_u64(copy_data, 17));
    message.payload = copy_data.substr(kWalHeaderBytes);
  } else if (copy_data[0] == 'k') {
    if (copy_data.size() < kKeepaliveBytes) {
      return fail(Code::refused, "truncated keepalive message in a replication stream");
    }
    message.kind = StreamMessage::Kind::keepalive;
    message.wal_end = read_u64(copy_data, 1);
    message.server_time_us = to_unix_us(read_u64(copy_data, 9));
    message.reply_requested = copy_data[17] != 0;
  }
  return message;
}

std::array<char, kStandbyStatusBytes> encode_standby_status(const StandbyPositions& positions,
                                                            std::int64_t client_time_us,
                                                            bool reply_requested) {
  std::array<char, kStandbyStatusBytes> out{};
  out[0] = 'r';
  store_big_endian(&out[1], positions.write);
  store_big_endian(&out[9], positions.flush);
  store_big_endian(&out[17], positions.apply);
  store_big_endian(&out[25], static_cast<std::uint64_t>(client_time_us) -
                                 static_cast<std::uint64_t>(kPostgresEpochOffsetUs));
  out[33] = reply_requested ? 1 : 0;
  return out;
}

StandbyStatus::Timing StandbyStatus::timing_for(Duration wal_sender_timeout) {
  Timing timing;
  if (wal_sender_timeout > Duration::zero()) {
    timing.interval = std::min(timing.interval, wal_sender_timeout / 3);
    timing.confirm_interval = std::min(timing.confirm_interval, timing.interval);
    timing.silence = wal_sender_timeout;
  }
  return timing;
}

StandbyStatus::StandbyStatus(const Timing& timing, std::uint64_t durable_lsn, Instant now)
    : durable_(durable_lsn), awaited_(durable_lsn) {
  reconnected(timing, durable_lsn, now);
}

void StandbyStatus::await(std::uint64_t lsn) {
  awaited_ = std::max(awaited_, lsn);
  received_ = std::max(received_, lsn);
  resume_ = std::max(resume_, lsn);
}

void StandbyStatus::reconnected(const Timing& timing, std::uint64_t start_lsn, Instant now) {
  timing_ = timing;
  received_ = std::max(received_, start_lsn);
  resume_ = std::max(resume_, start_lsn);
  in_transaction_ = false;
  in_stream_ = false;
  open_final_lsn_ = 0;
  reply_owed_ = false;
  asked_ = false;
  last_heard_ = now;
  // The first status goes out at once: it tells the server's statistics where we stand.
  last_sent_ = now - timing_.interval;
  asked_at_ = now;
}

void StandbyStatus::received(const StreamMessage& message, Instant now) {
  last_heard_ = now;
  asked_ = false;
  wal_end_ = std::max(wal_end_, message.wal_end);
  if (message.kind == StreamMessage::Kind::wal) {
    received_payload(message.payload, message.lsn);
  } else if (message.kind == StreamMessage::Kind::keepalive) {
    received_ = std::max(received_, message.wal_end);
    keepalive_end_ = std::max(keepalive_end_, message.wal_end);
    if (message.reply_requested) reply_owed_ = true;
  }
}

void StandbyStatus::received_payload(std::string_view payload, std::uint64_t lsn) {
  if (payload.empty()) return;
  switch (payload[0]) {
    case 'B':  // final_lsn 8, commit time 8, xid 4
      in_transaction_ = true;
      open_final_lsn_ = payload.size() >= 9 ? read_u64(payload, 1) : 0;
      break;
    case 'b':  // prepare LSN 8, end LSN 8, and more
      in_transaction_ = true;
      open_final_lsn_ = payload.size() >= 9 ? read_u64(payload, 1) : 0;
      break;
    case 'C':  // flags 1, commit LSN 8, end LSN 8, commit time 8
    case 'P':  // the same with the prepare's LSNs; then time, xid, gid
    case 'K':
    case 'r':  // end LSN of the prepare, then that of the rollback
    case 'p':
      in_transaction_ = false;
      if (payload.size() >= 18) {
        const std::uint64_t end_lsn = read_u64(payload, 10);
        received_ = std::max(received_, end_lsn);
        awaited_ = std::max(awaited_, end_lsn);
        resume_ = std::max(resume_, end_lsn);
      }
      break;
    case 'S':  // between Stream Start and Stop messages carry an xid, and wait for their commit
    case 'E':
      in_stream_ = payload[0] == 'S';
      break;
    case 'M':  // flags 1 (bit 0: transactional), LSN 8: outside transactions it stands for itself
      if (!in_stream_ && payload.size() >= 2 && (payload[1] & 1) == 0) {
        received_ = std::max(received_, lsn);
        awaited_ = std::max(awaited_, lsn);
        // Its LSN is the end of its record, where the next one begins, perhaps the commit of the
        // transaction around it. One byte further and the server would skip that transaction.
        resume_ = std::max(resume_, lsn);
      }
      break;
    case 'c':  // of a streamed transaction: xid 4, flags 1, commit LSN 8, end LSN 8, commit time 8
      if (payload.size() >= 22) {
        const std::uint64_t end_lsn = read_u64(payload, 14);
        received_ = std::max(received_, end_lsn);
        awaited_ = std::max(awaited_, end_lsn);
        resume_ = std::max(resume_, end_lsn);
      }
      break;
    default:
      break;
  }
}

void StandbyStatus::confirmed(std::uint64_t lsn) {
  if (lsn > received_) {
    ++confirmations_cut_;
    lsn = std::max(received_, durable_);
  }
  durable_ = std::max(durable_, lsn);
}

std::uint64_t StandbyStatus::flush_lsn() const {
  const bool by_itself = !consumer_confirms_keepalives_ && !undurable();
  const std::uint64_t safe = by_itself ? std::max(durable_, keepalive_end_) : durable_;
  return std::max(flush_sent_, safe);
}

Instant StandbyStatus::flush_due() const {
  Instant due = last_sent_ + timing_.interval;
  if (flush_lsn() > flush_sent_) due = std::min(due, last_sent_ + timing_.confirm_interval);
  if (reply_owed_) due = std::min(due, last_sent_ + timing_.reply_spacing);
  return due;
}

StandbyStatus::Due StandbyStatus::due(Instant now) const {
  if (asked_ && now >= asked_at_ + timing_.silence) return Due::dead;
  if (!asked_ && now >= last_heard_ + timing_.silence) return Due::status_with_reply_request;
  return now >= flush_due() ? Due::status : Due::nothing;
}

Instant StandbyStatus::next_due() const {
  const Instant silence = (asked_ ? asked_at_ : last_heard_) + timing_.silence;
  return std::min(flush_due(), silence);
}

StandbyPositions StandbyStatus::take(Instant now, bool reply_requested) {
  StandbyPositions positions;
  positions.flush = flush_lsn();
  positions.write = std::max(received_, positions.flush);
  positions.apply = positions.flush;
  flush_sent_ = positions.flush;
  last_sent_ = now;
  reply_owed_ = false;
  if (reply_requested && !asked_) {
    asked_ = true;
    asked_at_ = now;
  }
  return positions;
}

}  // namespace rt

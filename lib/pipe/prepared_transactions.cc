#include "pipe/prepared_transactions.h"

#include <fmt/format.h>

#include <algorithm>

#include "proto/pgoutput_writer.h"

namespace rt {
namespace {

using pgoutput::TwoPhase;

// Of what is handed on: as large as the source's own batches.
constexpr std::size_t kBatchBytes = 1024 * 1024;
constexpr std::size_t kBatchRecords = 4096;

char letter_of(std::string_view body) {
  return body.empty() ? '\0' : body.front();
}

bool describes(char letter) {
  return letter == 'R' || letter == 'Y';
}

}  // namespace

std::size_t PreparedTransactions::waiting() const {
  return static_cast<std::size_t>(std::count_if(
      open_.begin(), open_.end(), [](const auto& one) { return one.second.prepared; }));
}

Result<void> PreparedTransactions::restore(const RecordView& record) {
  restoring_ = true;
  const Result<void> taken =
      take_one({RecordKind::wal, false, record.lsn, record.received_us, record.body}, {});
  restoring_ = false;
  restored_ = true;
  return taken;
}

Result<void> PreparedTransactions::take(RecordBatch& batch, const Source::Take& take) {
  if (std::exchange(restored_, false)) forget_current();  // the last one was cut off by a kill
  bool plain = current_ == 0 && !skipping_;
  for (std::size_t i = 0; plain && i < batch.size(); ++i) {
    plain = batch[i].kind != RecordKind::wal ||
            !pgoutput::is_two_phase_letter(letter_of(batch[i].body));
  }
  if (plain) return take(batch);
  for (std::size_t i = 0; i < batch.size(); ++i) RT_CHECKED(take_one(batch[i], take));
  return hand_over(take);
}

Result<void> PreparedTransactions::take_one(const RecordView& record, const Source::Take& take) {
  const bool between = current_ != 0 || skipping_;
  if (record.kind == RecordKind::abandon && between) {
    forget_current();  // it comes again from its Begin Prepare
    return {};
  }
  if (record.kind != RecordKind::wal || record.prelude) return put(record, record.kind, take);
  const char letter = letter_of(record.body);
  if (!pgoutput::is_two_phase_letter(letter)) {
    return between ? inside(record, take) : put(record, record.kind, take);
  }
  const auto message = pgoutput::decode_two_phase(record.body);
  if (!message || message->xid == 0) {
    return fail(Code::refused,
                fmt::format("cannot follow prepared transactions: a bad message '{}'", letter));
  }
  switch (message->kind) {
    case TwoPhase::Kind::begin_prepare:
      return begin(record, *message, take);
    case TwoPhase::Kind::prepare:
      return between ? inside(record, take) : Result<void>();
    case TwoPhase::Kind::commit_prepared:
    case TwoPhase::Kind::rollback_prepared:
      return end(record, *message, take);
    case TwoPhase::Kind::stream_prepare:
      break;  // pipe/streamed_transactions.h makes it a b and a P
  }
  return fail(Code::refused, "cannot follow prepared transactions: a part of a streamed one");
}

void PreparedTransactions::forget_current() {
  if (current_ != 0) open_.erase(current_);
  current_ = 0;
  skipping_ = false;
}

Result<void> PreparedTransactions::begin(const RecordView& record, const TwoPhase& message,
                                         const Source::Take& take) {
  forget_current();
  const auto known = open_.find(message.xid);
  if (known != open_.end() && known->second.prepared && known->second.end_lsn == message.end_lsn) {
    skipping_ = true;
    return {};
  }
  if (open_.size() >= kOpenMax) {
    return fail(Code::limit, fmt::format("more than {} prepared transactions at once", kOpenMax));
  }
  Transaction& transaction = open_.insert_or_assign(message.xid, Transaction()).first->second;
  transaction.end_lsn = message.end_lsn;
  transaction.late = !restoring_ && message.end_lsn <= held_lsn_;
  current_ = message.xid;
  return keep(record, take);
}

Result<void> PreparedTransactions::inside(const RecordView& record, const Source::Take& take) {
  const char letter = letter_of(record.body);
  if (describes(letter)) return put(record, RecordKind::wal, take);
  const bool ends = letter == 'P';
  if (!skipping_) RT_CHECKED(keep(record, take));
  if (!ends) return {};
  if (!skipping_) open_[current_].prepared = true;
  current_ = 0;
  skipping_ = false;
  return {};
}

Result<void> PreparedTransactions::keep(const RecordView& record, const Source::Take& take) {
  Transaction& transaction = open_[current_];
  RT_CHECKED(transaction.messages.keep(folder_, 0, record.lsn, record.body.front(),
                                       record.body.substr(1)));
  return transaction.late ? Result<void>() : put(record, RecordKind::two_phase, take);
}

Result<void> PreparedTransactions::end(const RecordView& record, const TwoPhase& message,
                                       const Source::Take& take) {
  forget_current();
  const auto found = open_.find(message.xid);
  const bool known = found != open_.end() && found->second.prepared;
  const bool commits = message.kind == TwoPhase::Kind::commit_prepared;
  if (message.end_lsn <= held_lsn_) {
    if (known) open_.erase(found);
    return {};
  }
  if (restoring_) {
    // The end of this one is not stored as a whole; it comes again.
    return {};
  }
  if (!known && !commits) return {};  // the server tells the end of what it never told
  if (!known) {
    const std::string reason = fmt::format(
        "prepared transaction \"{}\" was committed, but what it prepared is missing", message.gid);
    return put({RecordKind::gap, false, message.lsn, record.received_us, reason}, RecordKind::gap,
               take);
  }
  const Transaction transaction = std::move(found->second);
  open_.erase(found);
  if (transaction.late && commits) {
    RT_CHECKED(
        transaction.messages.each([&](std::uint32_t, std::uint64_t lsn, std::string_view body) {
          return put({RecordKind::wal, false, lsn, record.received_us, body}, RecordKind::two_phase,
                     take);
        }));
  }
  if (transaction.late && !commits) return {};
  RT_CHECKED(put(record, RecordKind::two_phase, take));
  return commits ? commit(transaction, record, message, take) : Result<void>();
}

Result<void> PreparedTransactions::commit(const Transaction& transaction, const RecordView& record,
                                          const TwoPhase& message, const Source::Take& take) {
  RecordView made = record;
  scratch_.clear();
  pgoutput::append_begin(scratch_, {message.lsn, message.time, message.xid});
  made.body = scratch_;
  RT_CHECKED(put(made, RecordKind::wal, take));
  RT_CHECKED(
      transaction.messages.each([&](std::uint32_t, std::uint64_t lsn, std::string_view body) {
        if (pgoutput::is_two_phase_letter(letter_of(body))) return Result<void>();
        return put({RecordKind::wal, false, lsn, record.received_us, body}, RecordKind::wal, take);
      }));
  scratch_.clear();
  pgoutput::append_commit(scratch_, {0, message.lsn, message.end_lsn, message.time});
  made.body = scratch_;
  return put(made, RecordKind::wal, take);
}

Result<void> PreparedTransactions::put(const RecordView& record, RecordKind kind,
                                       const Source::Take& take) {
  if (restoring_) return {};
  RecordView made = record;
  made.kind = kind;
  out_.append(made);
  const bool full = out_.body_bytes() >= kBatchBytes || out_.size() >= kBatchRecords;
  return full ? hand_over(take) : Result<void>();
}

Result<void> PreparedTransactions::hand_over(const Source::Take& take) {
  if (out_.empty()) return {};
  const Result<void> taken = take(out_);
  out_.clear();
  return taken;
}

}  // namespace rt

#include "pipe/streamed_transactions.h"

#include <fmt/format.h>

#include <cstring>

#include "proto/big_endian.h"
#include "proto/pgoutput.h"
#include "proto/pgoutput_two_phase.h"
#include "proto/pgoutput_writer.h"

namespace rt {
namespace {

// Of what is handed on: as large as the source's own batches.
constexpr std::size_t kBatchBytes = 1024 * 1024;
constexpr std::size_t kBatchRecords = 4096;

char letter_of(std::string_view body) {
  return body.empty() ? '\0' : body.front();
}

bool carries_xid(char letter) {
  return std::strchr("RYIUDTM", letter) != nullptr && letter != '\0';
}

Error broken(std::string_view what) {
  return Error{Code::refused, fmt::format("cannot follow streamed transactions: {}", what), {}};
}

}  // namespace

Result<void> StreamedTransactions::take(RecordBatch& batch, const Source::Take& take) {
  bool plain = open_.empty() && current_ == 0;
  for (std::size_t i = 0; plain && i < batch.size(); ++i) {
    const char letter = letter_of(batch[i].body);
    plain = batch[i].kind != RecordKind::abandon && letter != 'S' && letter != 'E' &&
            letter != 'A' && letter != 'c' && letter != 'p';
  }
  if (plain) return take(batch);
  for (std::size_t i = 0; i < batch.size(); ++i) RT_CHECKED(take_one(batch[i], take));
  return hand_over(take);
}

Result<void> StreamedTransactions::take_one(const RecordView& record, const Source::Take& take) {
  if (record.kind == RecordKind::abandon) {
    open_.clear();
    current_ = 0;
    return record.lsn != 0 ? put(record, take) : Result<void>();
  }
  if (record.kind != RecordKind::wal || record.prelude) return put(record, take);
  switch (letter_of(record.body)) {
    case 'S':
      return start(record.body);
    case 'E':
      current_ = 0;
      return {};
    case 'A':
      return abort(record.body);
    case 'c':
      return commit(record, take);
    case 'p':
      return prepare(record, take);
    default:
      return current_ != 0 ? keep(record) : put(record, take);
  }
}

Result<void> StreamedTransactions::start(std::string_view body) {
  const auto decoded = pgoutput::decode(body);
  const auto* start = std::get_if<pgoutput::StreamStart>(&decoded.message);
  if (!decoded || start == nullptr || start->xid == 0) return fail(broken("a bad Stream Start"));
  if (current_ != 0) return fail(broken("a Stream Start inside another"));
  if (!start->first_segment && !open_.contains(start->xid)) {
    return fail(broken(fmt::format("transaction {} goes on that has not begun", start->xid)));
  }
  if (open_.size() >= kOpenMax) {
    return fail(Code::limit, fmt::format("more than {} streamed transactions at once", kOpenMax));
  }
  current_ = start->xid;
  if (start->first_segment) open_.insert_or_assign(current_, Transaction());
  return {};
}

Result<void> StreamedTransactions::keep(const RecordView& record) {
  const char letter = letter_of(record.body);
  std::uint32_t xid = current_;
  std::string_view rest = record.body.substr(1);
  if (carries_xid(letter)) {
    if (record.body.size() < 5) return fail(broken("a message without its xid"));
    xid = load_big_endian<std::uint32_t>(rest.data());
    rest.remove_prefix(4);
  }
  return open_[current_].messages.keep(folder_, xid, record.lsn, letter, rest);
}

Result<void> StreamedTransactions::abort(std::string_view body) {
  const auto decoded = pgoutput::decode(body);
  const auto* gone = std::get_if<pgoutput::StreamAbort>(&decoded.message);
  if (!decoded || gone == nullptr) return fail(broken("a bad Stream Abort"));
  const auto found = open_.find(gone->xid);
  if (found == open_.end()) return {};
  if (gone->subxid == gone->xid) {
    open_.erase(found);
  } else {
    found->second.withdrawn.insert(gone->subxid);
  }
  return {};
}

Result<void> StreamedTransactions::commit(const RecordView& record, const Source::Take& take) {
  const auto decoded = pgoutput::decode(record.body);
  const auto* end = std::get_if<pgoutput::StreamCommit>(&decoded.message);
  const auto found = end != nullptr ? open_.find(end->xid) : open_.end();
  if (!decoded || found == open_.end()) return fail(broken("a bad Stream Commit"));
  const Transaction transaction = std::move(found->second);
  open_.erase(found);
  std::string begin;
  std::string close;
  pgoutput::append_begin(begin, {end->commit_lsn, end->commit_time, end->xid});
  pgoutput::append_commit(close, {end->flags, end->commit_lsn, end->end_lsn, end->commit_time});
  return play(transaction, record, begin, close, take);
}

// It goes on as one that was prepared without having been streamed.
Result<void> StreamedTransactions::prepare(const RecordView& record, const Source::Take& take) {
  auto message = pgoutput::decode_two_phase(record.body);
  const auto found = message ? open_.find(message->xid) : open_.end();
  if (found == open_.end()) return fail(broken("a bad Stream Prepare"));
  const Transaction transaction = std::move(found->second);
  open_.erase(found);
  std::string begin;
  std::string close;
  message->kind = pgoutput::TwoPhase::Kind::begin_prepare;
  pgoutput::append_two_phase(begin, *message);
  message->kind = pgoutput::TwoPhase::Kind::prepare;
  pgoutput::append_two_phase(close, *message);
  return play(transaction, record, begin, close, take);
}

Result<void> StreamedTransactions::play(const Transaction& transaction, const RecordView& end,
                                        std::string_view begin, std::string_view close,
                                        const Source::Take& take) {
  RecordView made = end;
  made.body = begin;
  RT_CHECKED(put(made, take));
  RT_CHECKED(transaction.messages.each(
      [&](std::uint32_t xid, std::uint64_t lsn, std::string_view body) -> Result<void> {
        const bool describes = letter_of(body) == 'R' || letter_of(body) == 'Y';
        // The server counts a description as told, whatever became of the savepoint it was told in.
        if (transaction.withdrawn.contains(xid) && !describes) {
          ++withdrawn_rows_;
          return {};
        }
        return put({RecordKind::wal, false, lsn, end.received_us, body}, take);
      }));
  made.body = close;
  return put(made, take);
}

Result<void> StreamedTransactions::put(const RecordView& record, const Source::Take& take) {
  out_.append(record);
  const bool full = out_.body_bytes() >= kBatchBytes || out_.size() >= kBatchRecords;
  return full ? hand_over(take) : Result<void>();
}

Result<void> StreamedTransactions::hand_over(const Source::Take& take) {
  if (out_.empty()) return {};
  const Result<void> taken = take(out_);
  out_.clear();
  return taken;
}

}  // namespace rt

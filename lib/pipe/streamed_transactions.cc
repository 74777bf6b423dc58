#include "pipe/streamed_transactions.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "proto/big_endian.h"
#include "proto/pgoutput.h"
#include "proto/pgoutput_writer.h"

namespace rt {
namespace {

// Of what is handed on: as large as the source's own batches.
constexpr std::size_t kBatchBytes = 1024 * 1024;
constexpr std::size_t kBatchRecords = 4096;

// An entry: this, then the body without its xid.
struct EntryHead {
  std::uint32_t size = 0;
  std::uint32_t xid = 0;  // of the (sub)transaction
  std::uint64_t lsn = 0;
};

char letter_of(std::string_view body) {
  return body.empty() ? '\0' : body.front();
}

bool carries_xid(char letter) {
  return std::strchr("RYIUDTM", letter) != nullptr && letter != '\0';
}

Error broken(std::string_view what) {
  return Error{Code::refused, fmt::format("cannot follow streamed transactions: {}", what), {}};
}

Result<Fd> unnamed_file(const std::string& folder) {
  Fd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd) return fd;
  std::string name = folder + "/rt-streamed-XXXXXX";  // not every file system knows O_TMPFILE
  fd = Fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd) return fail(os_error("cannot create a file in " + folder, errno));
  ::unlink(name.c_str());
  return fd;
}

}  // namespace

Result<void> StreamedTransactions::take(RecordBatch& batch, const Source::Take& take) {
  bool plain = open_.empty() && current_ == 0;
  for (std::size_t i = 0; plain && i < batch.size(); ++i) {
    const char letter = letter_of(batch[i].body);
    plain = batch[i].kind != RecordKind::abandon && letter != 'S' && letter != 'E' &&
            letter != 'A' && letter != 'c';
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
  Transaction& transaction = open_[current_];
  const char letter = letter_of(record.body);
  EntryHead head{static_cast<std::uint32_t>(record.body.size()), current_, record.lsn};
  std::string_view rest = record.body;
  if (carries_xid(letter)) {
    if (record.body.size() < 5) return fail(broken("a message without its xid"));
    head.size -= 4;
    head.xid = load_big_endian<std::uint32_t>(record.body.data() + 1);
    rest = record.body.substr(5);
  } else {
    rest.remove_prefix(1);
  }
  transaction.tail.append(reinterpret_cast<const char*>(&head), sizeof head);
  transaction.tail += letter;
  transaction.tail += rest;
  return transaction.tail.size() >= kMemoryMax ? spill(transaction) : Result<void>();
}

Result<void> StreamedTransactions::spill(Transaction& transaction) {
  if (!transaction.file) transaction.file = RT_TRY(unnamed_file(folder_));
  std::string_view left = transaction.tail;
  while (!left.empty()) {
    const ssize_t n = ::write(transaction.file.get(), left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(os_error("cannot keep a streamed transaction in " + folder_, errno));
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  transaction.bytes += transaction.tail.size();
  transaction.tail.clear();
  return {};
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
  Transaction transaction = std::move(found->second);
  open_.erase(found);
  return play(transaction, record, take);
}

Result<void> StreamedTransactions::play(Transaction& transaction, const RecordView& commit,
                                        const Source::Take& take) {
  const auto decoded = pgoutput::decode(commit.body);
  const auto& end = std::get<pgoutput::StreamCommit>(decoded.message);
  scratch_.clear();
  pgoutput::append_begin(scratch_, {end.commit_lsn, end.commit_time, end.xid});
  RT_CHECKED(put({RecordKind::wal, false, commit.lsn, commit.received_us, scratch_}, take));

  std::string part;  // of the file: whole entries, as many as a spill wrote, and the rest of one
  for (std::uint64_t at = 0; at < transaction.bytes;) {
    EntryHead head;
    const ssize_t got = ::pread(transaction.file.get(), &head, sizeof head, static_cast<off_t>(at));
    if (got != static_cast<ssize_t>(sizeof head)) return fail(os_error("cannot read back", errno));
    const std::uint64_t want =
        std::min(transaction.bytes - at,
                 std::max<std::uint64_t>(kMemoryMax, sizeof head + std::uint64_t{head.size}));
    part.resize(want);
    std::size_t read = 0;
    while (read < want) {
      const ssize_t n = ::pread(transaction.file.get(), part.data() + read, want - read,
                                static_cast<off_t>(at + read));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return fail(os_error("cannot read a streamed transaction back", errno));
      read += static_cast<std::size_t>(n);
    }
    at += RT_TRY(play_entries(part, transaction, commit.received_us, take));
  }
  RT_TRY(play_entries(transaction.tail, transaction, commit.received_us, take));

  scratch_.clear();
  pgoutput::append_commit(scratch_, {end.flags, end.commit_lsn, end.end_lsn, end.commit_time});
  return put({RecordKind::wal, false, commit.lsn, commit.received_us, scratch_}, take);
}

// Whole entries only; the bytes they have.
Result<std::size_t> StreamedTransactions::play_entries(std::string_view entries,
                                                       const Transaction& transaction,
                                                       std::int64_t received_us,
                                                       const Source::Take& take) {
  std::size_t at = 0;
  EntryHead head;
  while (entries.size() - at >= sizeof head) {
    std::memcpy(&head, entries.data() + at, sizeof head);
    if (entries.size() - at < sizeof head + head.size) break;
    const std::string_view body = entries.substr(at + sizeof head, head.size);
    at += sizeof head + head.size;
    const bool describes = letter_of(body) == 'R' || letter_of(body) == 'Y';
    // The server counts a description as told, whatever became of the savepoint it was told in.
    if (transaction.withdrawn.contains(head.xid) && !describes) {
      ++withdrawn_rows_;
      continue;
    }
    RT_CHECKED(put({RecordKind::wal, false, head.lsn, received_us, body}, take));
  }
  return at;
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

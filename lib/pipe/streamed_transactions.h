// Turns a stream of protocol 2, where the parts of large transactions arrive before they commit and
// between each other, into one of protocol 1: each transaction once, whole, when it has committed,
// without what its savepoints took back. Messages lose the xid that streaming put into them and are
// else byte for byte what protocol 1 would have sent; Begin and Commit are made from Stream Commit.
// A transaction in progress is kept in memory up to kMemoryMax bytes, then in an unnamed file.
// PostgreSQL 15, sections 49.9 "Streaming of Large Transactions" and 55.9. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/fd.h"
#include "base/record.h"
#include "base/result.h"
#include "pipe/source.h"

namespace rt {

class StreamedTransactions {
 public:
  // A server has at most max_connections of them; a thousand is more than any in sight allows.
  static constexpr std::size_t kOpenMax = 1024;
  // Of each: a write of this size costs next to nothing per byte.
  static constexpr std::size_t kMemoryMax = 256 * 1024;

  // `folder` holds what does not fit in memory; it needs room for the transactions in progress.
  explicit StreamedTransactions(std::string folder) : folder_(std::move(folder)) {}

  // Hands on what `batch` completes, in order; its content may be moved away. Code::refused for a
  // stream that breaks the rules, Code::limit when the folder is full.
  Result<void> take(RecordBatch& batch, const Source::Take& take);

  std::size_t open() const { return open_.size(); }
  std::uint64_t withdrawn_rows() const { return withdrawn_rows_; }  // by aborted savepoints

 private:
  struct Transaction {
    std::string tail;                             // kept entries that are not in the file
    Fd file;                                      // the entries before
    std::uint64_t bytes = 0;                      // in the file
    std::unordered_set<std::uint32_t> withdrawn;  // xids of aborted subtransactions
  };

  Result<void> take_one(const RecordView& record, const Source::Take& take);
  Result<void> start(std::string_view body);
  Result<void> keep(const RecordView& record);
  Result<void> abort(std::string_view body);
  Result<void> commit(const RecordView& record, const Source::Take& take);
  Result<void> play(Transaction& transaction, const RecordView& commit, const Source::Take& take);
  Result<std::size_t> play_entries(std::string_view entries, const Transaction& transaction,
                                   std::int64_t received_us, const Source::Take& take);
  Result<void> spill(Transaction& transaction);
  Result<void> put(const RecordView& record, const Source::Take& take);
  Result<void> hand_over(const Source::Take& take);

  std::string folder_;
  std::unordered_map<std::uint32_t, Transaction> open_;  // by xid
  std::uint32_t current_ = 0;  // xid between Stream Start and Stop, else 0
  RecordBatch out_;
  std::string scratch_;
  std::uint64_t withdrawn_rows_ = 0;
};

}  // namespace rt

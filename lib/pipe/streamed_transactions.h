// Turns a stream of protocol 2, where the parts of large transactions arrive before they commit and
// between each other, into one of protocol 1: each transaction once, whole, when it has committed,
// without what its savepoints took back. Messages lose the xid that streaming put into them and are
// else byte for byte what protocol 1 would have sent; Begin and Commit are made from Stream Commit.
// A transaction in progress is kept in memory up to RecordSpool::kMemoryMax bytes, then in an
// unnamed file. One that is prepared (protocol 3) comes out between Begin Prepare and Prepare.
// PostgreSQL 15, sections 49.9 "Streaming of Large Transactions" and 55.9. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/record.h"
#include "base/result.h"
#include "pipe/record_spool.h"
#include "pipe/source.h"

namespace rt {

class StreamedTransactions {
 public:
  // A server has at most max_connections of them; a thousand is more than any in sight allows.
  static constexpr std::size_t kOpenMax = 1024;

  // `folder` holds what does not fit in memory; it needs room for the transactions in progress.
  explicit StreamedTransactions(std::string folder) : folder_(std::move(folder)) {}

  // Hands on what `batch` completes, in order; its content may be moved away. Code::refused for a
  // stream that breaks the rules, Code::limit when the folder is full.
  Result<void> take(RecordBatch& batch, const Source::Take& take);

  std::size_t open() const { return open_.size(); }
  std::uint64_t withdrawn_rows() const { return withdrawn_rows_; }  // by aborted savepoints

 private:
  struct Transaction {
    RecordSpool messages;                         // tagged with the xid of the (sub)transaction
    std::unordered_set<std::uint32_t> withdrawn;  // xids of aborted subtransactions
  };

  Result<void> take_one(const RecordView& record, const Source::Take& take);
  Result<void> start(std::string_view body);
  Result<void> keep(const RecordView& record);
  Result<void> abort(std::string_view body);
  Result<void> commit(const RecordView& record, const Source::Take& take);
  Result<void> prepare(const RecordView& record, const Source::Take& take);
  Result<void> play(const Transaction& transaction, const RecordView& end, std::string_view begin,
                    std::string_view close, const Source::Take& take);
  Result<void> put(const RecordView& record, const Source::Take& take);
  Result<void> hand_over(const Source::Take& take);

  std::string folder_;
  std::unordered_map<std::uint32_t, Transaction> open_;  // by xid
  std::uint32_t current_ = 0;  // xid between Stream Start and Stop, else 0
  RecordBatch out_;
  std::uint64_t withdrawn_rows_ = 0;
};

}  // namespace rt

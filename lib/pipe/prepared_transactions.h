// Turns a stream with prepared transactions (pgoutput protocol 3) into one without: a prepared
// transaction comes as an ordinary one when it commits, under the position of its COMMIT PREPARED,
// and not at all when it is rolled back. What the server sent about it, and when, is handed on as
// well, as records of kind two_phase, byte for byte:
//
//   b, its messages, P      when it is prepared
//   K, or r                 when it ends; after a K the ordinary transaction follows
//
// Descriptions (Relation, Type) pass as ordinary records: the server says them once for all that
// follows. A Begin Prepare without its Prepare is void, as is what follows it: it comes again. A
// transaction that waits is kept in memory up to RecordSpool::kMemoryMax bytes, then in an unnamed
// file. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/record.h"
#include "base/result.h"
#include "pipe/record_spool.h"
#include "pipe/source.h"
#include "proto/pgoutput_two_phase.h"

namespace rt {

class PreparedTransactions {
 public:
  // A server has at most max_prepared_transactions of them, and is to be rid of them soon.
  static constexpr std::size_t kOpenMax = 1024;

  // `held_lsn`: all that ended up to there is stored already; what the server sends of it again is
  // left out. `folder` holds what does not fit in memory.
  PreparedTransactions(std::string folder, std::uint64_t held_lsn)
      : folder_(std::move(folder)), held_lsn_(held_lsn) {}

  // First, for one that goes on: the records of kind two_phase that are stored, in order.
  Result<void> restore(const RecordView& record);

  // Hands on what `batch` holds and completes, in order. Code::refused for a malformed message,
  // Code::limit when there are too many or the folder is full.
  Result<void> take(RecordBatch& batch, const Source::Take& take);

  std::size_t waiting() const;  // prepared, and not ended

 private:
  struct Transaction {
    RecordSpool messages;  // from b to P, both included
    std::uint64_t end_lsn = 0;
    bool prepared = false;  // P was there
    // Prepared before its stream knew of two phases: the server sends it when it commits, and so do
    // we.
    bool late = false;
  };

  Result<void> take_one(const RecordView& record, const Source::Take& take);
  Result<void> begin(const RecordView& record, const pgoutput::TwoPhase& message,
                     const Source::Take& take);
  Result<void> inside(const RecordView& record, const Source::Take& take);
  Result<void> keep(const RecordView& record, const Source::Take& take);
  Result<void> end(const RecordView& record, const pgoutput::TwoPhase& message,
                   const Source::Take& take);
  Result<void> commit(const Transaction& transaction, const RecordView& record,
                      const pgoutput::TwoPhase& message, const Source::Take& take);
  Result<void> put(const RecordView& record, RecordKind kind, const Source::Take& take);
  Result<void> hand_over(const Source::Take& take);
  void forget_current();

  std::string folder_;
  std::uint64_t held_lsn_ = 0;
  std::unordered_map<std::uint32_t, Transaction> open_;  // by xid
  std::uint32_t current_ = 0;                            // between b and P, else 0
  bool skipping_ = false;                                // between a b and a P that are known
  bool restoring_ = false;
  bool restored_ = false;  // and nothing was taken since
  RecordBatch out_;
  std::string scratch_;
};

}  // namespace rt

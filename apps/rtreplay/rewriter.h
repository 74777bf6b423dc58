// Writes a recording out of parts of others: whole records as they are, rows left out or changed.
// Every row keeps its position: what is missing before it in its transaction is counted in an 'x'
// record. A transaction of which nothing is kept is not written; schemas are announced when the
// first row needs them. Holds one block of output and the schemas, whatever a transaction's size.
// One thread. What was begun is removed again if it is not finished.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "archive/reader.h"
#include "archive/writer.h"
#include "base/clock.h"
#include "rtreplay/stream_schema.h"
#include "rtreplay/unfinished_output.h"

namespace rt::rtreplay {

class Rewriter {
 public:
  // `path` must hold no recording yet.
  static Result<Rewriter> create(const std::string& path, const archive::Origin& origin);
  // A record of a source, in order; R and Y messages belong into `schema` instead. Rows of the open
  // transaction that were not passed before this one are counted as left out.
  Result<void> pass(const archive::Entry& entry, const StreamSchema& schema) {
    return pass(entry.record, entry.position, schema);
  }
  Result<void> pass(const RecordView& record, const Position& position, const StreamSchema& schema);
  // "events may be missing here", dated as what was passed last.
  Result<void> gap(std::string_view reason);
  // Makes it durable and closes it.
  Result<void> finish();

  struct Totals {
    std::uint64_t rows = 0;
    std::uint64_t transactions = 0;
    std::uint64_t others = 0;  // events, snapshot rows, marks
    std::uint64_t bytes = 0;
  };
  Totals totals() const;
  // "12 rows in 3 transactions, 1.2 KiB"
  std::string summary() const;

 private:
  Rewriter(archive::Writer writer, UnfinishedOutput unfinished);
  Result<void> pass_wal(const RecordView& record, const Position& position,
                        const StreamSchema& schema);
  Result<void> begin();
  Result<void> skip_to(std::uint32_t index);
  Result<void> announce(std::uint32_t oid, const StreamSchema& schema, bool in_transaction);
  Result<void> announce_types(std::string_view relation, const StreamSchema& schema, bool prelude);
  Result<void> settle_gap(bool at_begin, std::uint64_t lsn);
  Result<void> append(const RecordView& record);

  archive::Writer writer_;
  UnfinishedOutput unfinished_;
  SystemClock clock_;
  Instant now_;
  // The Begin (and Origin) that is written when something of its transaction is.
  std::string held_begin_;
  std::string held_origin_;
  RecordView held_;  // lsn and time of held_begin_
  bool begun_ = false;
  std::uint64_t open_lsn_ = 0;  // of held_begin_
  // A gap inside a transaction waits for what follows: more of it, or another one.
  std::string held_gap_;
  std::uint32_t next_index_ = 0;
  std::int64_t last_received_us_ = 0;
  std::uint64_t others_ = 0;
  std::unordered_map<std::uint32_t, StreamSchema::Relation> announced_;
  std::unordered_map<std::uint32_t, std::string> announced_types_;
  std::uint32_t last_oid_ = 0;  // the relation announced last, and from which schema
  const StreamSchema* last_schema_ = nullptr;
  std::uint64_t last_version_ = 0;
  std::string scratch_;
};

// `origin.notes_json` with what was done to it: {"derived":[{"verb":"cut","from":"a.rtr"}]}.
std::string derived_notes(const std::string& notes_json, const std::string& verb,
                          const std::string& source);

}  // namespace rt::rtreplay

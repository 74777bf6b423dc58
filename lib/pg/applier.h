// Row changes of a recording or of a replication stream into a database: one source transaction is
// one target transaction, each applied exactly once (apply_progress.h), many on their way at a time
// (apply_window.h). Memory does not grow with a transaction: rows go to the server as they come.
// Sources: PostgreSQL 15, "Logical Replication", "Logical Streaming Replication Protocol".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "pg/apply_progress.h"
#include "pg/apply_sql.h"
#include "pg/apply_tables.h"
#include "pg/apply_window.h"
#include "proto/pgoutput.h"

namespace rt {

struct ApplierOptions {
  std::string dsn;
  std::string progress_name;  // what is applied under one name is applied once
  OnConflict on_conflict = OnConflict::upsert;
  // False: as a replica does it, without triggers, rules and foreign keys
  // (session_replication_role, which needs a superuser or GRANT SET ON PARAMETER).
  bool with_triggers = false;
  std::string application_name = "realtime-apply";
  int cancel_fd = -1;  // ends every wait when it becomes readable
};

// What was done, and what did not fit. Rows count when they are committed or on their way there.
struct ApplyTotals {
  std::uint64_t transactions = 0;  // committed
  std::uint64_t rows = 0;
  std::uint64_t messages = 0;
  std::uint64_t snapshot_rows = 0;
  std::uint64_t known_transactions = 0;  // left out: applied before
  std::uint64_t sequences = 0;           // moved at the end
  // Conflicts.
  std::uint64_t already_equal = 0;  // inserts of a row that was there, equal
  std::uint64_t overwritten = 0;    // .. and different: replaced
  std::uint64_t kept = 0;           // .. and stayed as it was
  std::uint64_t restored = 0;       // updates of a row that was missing: inserted
  std::uint64_t missing = 0;        // updates and deletes of a row that was missing: left out
  std::string first_conflict;       // "update of public.orders (000000014D7E3B28-00000002)"

  std::uint64_t conflicts() const {
    return already_equal + overwritten + kept + restored + missing;
  }
};

// One thread. After an error it is of no use any more; what was not committed is rolled back.
class Applier {
 public:
  static Result<std::unique_ptr<Applier>> open(const ApplierOptions& options, const Clock& clock);
  ~Applier();

  // Everything up to this commit LSN was applied before, or has been committed since.
  std::uint64_t applied_lsn() const { return applied_lsn_; }
  bool by_origin() const { return progress_.by_origin(); }

  // The next message of the stream: protocol 1, whole transactions. `prelude` ones only describe.
  Result<void> take(const pgoutput::Message& message, bool prelude);

  // A snapshot of all tables: what was applied before it is void. Rows are COPY text lines.
  Result<void> snapshot_begin(std::uint64_t consistent_point);
  Result<void> snapshot_row(std::uint32_t relation, std::string_view line);
  Result<void> snapshot_end();

  // All that was taken is with the server; does not wait for its answers.
  Result<void> flush();
  // All that was taken is committed and durable, and sequences stand behind the rows.
  Result<void> finish();

  const ApplyTotals& totals() const { return totals_; }
  const std::string& endpoint() { return window_.endpoint(); }

 private:
  class Snapshot;
  Applier(const ApplierOptions& options, ApplyWindow window, ApplyProgress progress);

  Result<void> apply(const pgoutput::Begin& begin);
  Result<void> apply(const pgoutput::Commit& commit);
  Result<void> apply(const pgoutput::Insert& insert);
  Result<void> apply(const pgoutput::Update& update);
  Result<void> apply(const pgoutput::Delete& gone);
  Result<void> apply(const pgoutput::Truncate& truncate);
  Result<void> apply(const pgoutput::LogicalMessage& message);

  Result<void> begin_if_needed();
  Result<void> send_commit(const char* statement);
  Result<void> commit_pending();
  Result<AppliedTable*> table_of(std::uint32_t relation);
  Result<void> check_columns(const AppliedTable& table, std::size_t sent) const;
  void read(const pgoutput::TupleView& row, std::vector<pgoutput::Value>& values);
  Result<void> send(AppliedTable& table, char operation, const UpdateForm& form);
  void find_moves(const ApplyTarget& target, bool whole_old);
  void settle(const ApplyStep& step, const Rows& rows);
  void settle_moved(const ApplyStep& step, const Rows& rows);
  void note_conflict(std::uint64_t& counter, const ApplyStep& step);

  OnConflict on_conflict_;
  ApplyWindow window_;
  ApplyProgress progress_;
  ApplyTables tables_;
  std::unique_ptr<Snapshot> snapshot_;  // while one is loaded
  ApplyTotals totals_;
  std::uint64_t applied_lsn_ = 0;
  std::uint64_t taken_lsn_ = 0;  // the same, and what is on its way

  Position at_;             // of the next change
  bool open_ = false;       // inside a transaction of the source
  bool leave_out_ = false;  // .. that was applied before
  bool begun_ = false;      // .. and of the target
  bool inside_snapshot_ = false;
  // The commit that is due but was not sent: the next transaction is begun by the same statement.
  std::optional<Position> pending_commit_;
  bool pending_message_ = false;      // it is of a message outside of any transaction
  std::int64_t committed_pg_us_ = 0;  // commit time of the last transaction, as PostgreSQL counts
  ApplyArguments arguments_;
  std::vector<pgoutput::Value> new_;  // of the change being sent
  std::vector<pgoutput::Value> old_;
  UpdateForm form_;
};

}  // namespace rt

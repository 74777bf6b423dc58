// A snapshot's rows into their tables, by COPY, in one transaction. A table that holds rows already
// gets them through a temporary one, so that the conflict policy holds for it too.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "pg/applier.h"
#include "pg/copy_in.h"

namespace rt {

// One thread. Owns the transaction from start() to finish().
class Applier::Snapshot {
 public:
  // void_before: rows of all relations described so far are deleted first.
  static Result<std::unique_ptr<Snapshot>> start(Connection& connection, ApplyTables& tables,
                                                 OnConflict on_conflict, bool void_before);

  Result<void> put(std::uint32_t relation, std::string_view line);
  // Writes the last rows, sets progress to `lsn`, commits.
  Result<void> finish(ApplyProgress& progress, std::uint64_t lsn);

  std::uint64_t rows() const { return rows_; }
  std::uint64_t conflicts() const { return conflicts_; }  // rows that were there

 private:
  Snapshot(Connection& connection, ApplyTables& tables, OnConflict on_conflict)
      : connection_(connection), tables_(tables), on_conflict_(on_conflict) {}
  Result<void> open(std::uint32_t relation);
  Result<void> close();
  Result<void> merge(const AppliedTable& table);

  Connection& connection_;
  ApplyTables& tables_;
  OnConflict on_conflict_;
  std::uint32_t relation_ = 0;
  AppliedTable* table_ = nullptr;
  std::optional<CopyIn> copy_;
  bool staged_ = false;
  std::uint64_t rows_ = 0;
  std::uint64_t conflicts_ = 0;
};

}  // namespace rt

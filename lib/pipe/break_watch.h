// Where a replay is to pause: at places, and before transactions that hold a row of some kind,
// which is found out by reading ahead of the replay. One thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "archive/reader.h"
#include "pipe/archive_bound.h"

namespace rt {

// Does this record begin a transaction, or is it an event outside of any?
bool starts_unit(const RecordView& record);

class BreakWatch {
 public:
  using Matches = std::function<bool(const RecordView&)>;

  // ahead: another reader of the same recording, standing where the replay begins; needed if there
  // is a `row`, which sees all records in order.
  BreakWatch(std::vector<ArchiveBound> places, Matches row, std::optional<archive::Reader> ahead)
      : places_(std::move(places)), row_(std::move(row)), ahead_(std::move(ahead)) {}

  // Of the unit that `first` begins. Each place is met once.
  Result<bool> meets(const archive::Entry& first);

 private:
  Result<bool> holds_row(std::uint64_t commit_lsn);

  std::vector<ArchiveBound> places_;
  Matches row_;
  std::optional<archive::Reader> ahead_;
};

}  // namespace rt

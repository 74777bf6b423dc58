// The events that followed a position, read from the history's archive: for a subscriber whose last
// event is older than what memory holds. Reads one block at a time. One thread (the hub's).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "archive/reader.h"
#include "base/position.h"
#include "base/result.h"
#include "proto/pgoutput.h"
#include "server/run_encoder.h"
#include "server/run_filter.h"
#include "server/run_table.h"

namespace rt::server {

class ArchiveReplay {
 public:
  // table: as RunChanges has it. Fails if the archive does not reach back to `seen`.
  static Result<ArchiveReplay> open(const std::string& directory, const std::string& table,
                                    Position seen);

  enum class Step : std::uint8_t {
    more,    // the text is full
    end,     // everything the archive holds up to position() was handed out
    broken,  // a snapshot or TRUNCATE lies on the way: changes alone do not lead to the present
  };
  // Appends frames that `filter` wants, until `out` has `bytes_max`.
  Step next(std::string& out, const RunFilter& filter, std::size_t bytes_max);
  Position position() const { return position_; }

 private:
  ArchiveReplay(archive::Reader reader, std::string table, Position seen);
  Step take(const archive::Entry& entry, std::string& out, const RunFilter& filter);
  void take_row(std::uint32_t relation, std::optional<pgoutput::TupleView> old_row,
                std::optional<pgoutput::TupleView> row, Position position, std::string& out,
                const RunFilter& filter);

  archive::Reader reader_;
  std::string table_;
  Position position_;
  std::unordered_map<std::uint32_t, std::shared_ptr<const RunTable>> tables_;
  RunEncoder encoder_;
  std::string merged_;
};

}  // namespace rt::server

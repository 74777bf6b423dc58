// --from and --to: the part of a recording that a verb looks at.
#pragma once

#include <optional>
#include <string>

#include "archive/reader.h"
#include "cli/tool.h"
#include "pipe/archive_source.h"

namespace rt::rtreplay {

class RecordRange {
 public:
  enum class Unit { record, transaction };

  struct Options {
    std::string from;
    std::string to;
  };
  static void declare(CLI::App* app, Options& options, Unit unit);
  static Result<RecordRange> parse(const Options& options, Unit unit);

  // Puts reading before the first record inside.
  Result<void> seek(archive::Reader& reader) const;
  // Nothing from this record on is inside.
  bool is_past(const archive::Entry& entry) const;
  bool has_from() const { return from_.has_value(); }

 private:
  Unit unit_ = Unit::record;
  std::optional<ArchiveBound> from_;
  std::optional<ArchiveBound> to_;
};

}  // namespace rt::rtreplay

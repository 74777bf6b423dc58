// A recording as lines of text for other programs: what `rtreplay convert --as` writes.
#pragma once

#include <memory>
#include <string>

#include "archive/frames.h"
#include "archive/reader.h"
#include "base/result.h"

namespace rt::rtreplay {

// One thread; entries in order. Appends whole lines, none for what the format cannot say.
class LineExport {
 public:
  virtual ~LineExport() = default;
  virtual void begin(const archive::Origin& origin, std::string& out) = 0;
  virtual void take(const archive::Entry& entry, std::string& out) = 0;
  // Rows without a line: of tables that were never described, or malformed.
  std::uint64_t undecodable() const { return undecodable_; }

 protected:
  std::uint64_t undecodable_ = 0;
};

// Everything, so that import gives the same recording (docs/recordings.md).
std::unique_ptr<LineExport> make_ndjson_export();
// wal2json, format-version 2.
std::unique_ptr<LineExport> make_wal2json_export();
// Values of Debezium's PostgreSQL connector, without schema.
std::unique_ptr<LineExport> make_debezium_export();
// Rows as CSV (RFC 4180) with key, old and new as JSON.
std::unique_ptr<LineExport> make_csv_export();

// "ndjson", "wal2json", "debezium", "csv".
Result<std::unique_ptr<LineExport>> make_line_export(const std::string& format);

}  // namespace rt::rtreplay

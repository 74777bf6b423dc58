// What the end of an archive tells a recorder that goes on with it: how far it may have confirmed,
// and what must be begun again.
#pragma once

#include <cstdint>
#include <string>

#include "archive/writer.h"
#include "base/result.h"

namespace rt::rtreplay {

struct ArchiveEnd {
  // Nothing up to here is missing: the end of the last transaction, or a later keepalive. A
  // recorder confirms no more than this.
  std::uint64_t held_lsn = 0;
  bool gap = false;            // the last thing it says of the stream is that changes are missing
  bool snapshot_open = false;  // a snapshot began and was cut off
};

// Reads what follows the last transaction. `writer` has just been opened on `path`.
Result<ArchiveEnd> read_archive_end(const std::string& path, const archive::Writer& writer);

}  // namespace rt::rtreplay

#include "pipe/archive_span.h"

namespace rt {

Result<ArchiveSpan> find_span(archive::Reader& reader) {
  // Before the first event there may be a snapshot, without a time.
  for (std::size_t i = 0; i < reader.block_count(); ++i) {
    if (reader.block(i).t_hi == 0) continue;
    const archive::BlockContent first = RT_TRY(reader.read_block(i));
    return ArchiveSpan{first.header.t_first, reader.block(reader.block_count() - 1).t_hi};
  }
  return ArchiveSpan{};
}

}  // namespace rt

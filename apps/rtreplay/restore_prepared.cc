#include "rtreplay/restore_prepared.h"

#include "archive/reader.h"

namespace rt::rtreplay {

Result<void> restore_prepared(const std::string& archive, PreparedTransactions& prepared) {
  archive::Reader reader = RT_TRY(archive::Reader::open(archive, {.live = true}));
  for (std::size_t i = 0; i < reader.block_count(); ++i) {
    if ((reader.block(i).flags & archive::kHasTwoPhase) == 0) continue;
    const archive::BlockContent content = RT_TRY(reader.read_block(i));
    Result<void> taken;
    content.each([&](const RecordView& record) {
      if (taken && record.kind == RecordKind::two_phase) taken = prepared.restore(record);
    });
    RT_CHECKED(taken);
  }
  return {};
}

}  // namespace rt::rtreplay

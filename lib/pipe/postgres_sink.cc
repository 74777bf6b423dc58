#include "pipe/postgres_sink.h"

#include <fmt/format.h>

#include "archive/bodies.h"
#include "base/text.h"

namespace rt {

Result<void> PostgresSink::put(const RecordView& record) {
  switch (record.kind) {
    case RecordKind::wal:
      return put_wal(record);
    case RecordKind::snapshot_begin:
      return applier_->snapshot_begin(record.lsn);
    case RecordKind::snapshot_row: {
      const auto row = archive::decode_snapshot_row(record.body);
      if (!row) return fail(Code::integrity, "a snapshot row of the recording is malformed");
      return applier_->snapshot_row(row->relation, row->copy_line);
    }
    case RecordKind::snapshot_end:
      return applier_->snapshot_end();
    case RecordKind::gap:
      ++gaps_;
      return {};
    case RecordKind::keepalive:
    case RecordKind::abandon:
    case RecordKind::mark:
    case RecordKind::state:
    case RecordKind::two_phase:  // comes as a transaction when it has committed
      return {};
    default:
      if (!record.prelude) ++left_out_;
      return {};
  }
}

Result<void> PostgresSink::put_wal(const RecordView& record) {
  const pgoutput::DecodeResult decoded = pgoutput::decode(record.body);
  if (!decoded) {
    return fail(Code::integrity,
                fmt::format("a message of the recording after {} {} (offset {})",
                            lsn_text(applier_->applied_lsn()),
                            pgoutput::decode_error_text(decoded.error), decoded.error_offset));
  }
  if (std::holds_alternative<pgoutput::Unknown>(decoded.message) && !record.prelude) ++left_out_;
  return applier_->take(decoded.message, record.prelude);
}

}  // namespace rt

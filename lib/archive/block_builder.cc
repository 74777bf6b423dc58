#include "archive/block_builder.h"

#include <fmt/format.h>
#include <zstd.h>

#include "archive/wire.h"

namespace rt::archive {
namespace {

// Empties a buffer; one that a huge record blew up is given back.
void recycle(std::string& buffer) {
  if (buffer.capacity() > 16 * kBlockRawBytes) std::string().swap(buffer);
  buffer.clear();
}

}  // namespace

void BlockBuilder::FreeContext::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

BlockBuilder::BlockBuilder(int compression_level) : compressor_(ZSTD_createCCtx()) {
  RT_CHECK(compressor_ != nullptr);
  ZSTD_CCtx_setParameter(compressor_.get(), ZSTD_c_compressionLevel, compression_level);
  ZSTD_CCtx_setParameter(compressor_.get(), ZSTD_c_checksumFlag, 1);
}

void BlockBuilder::start(const RecordView& first) {
  header_ = {};
  header_.first_lsn = first.lsn;
  header_.received_first = first.received_us;
  base_ = {first.lsn, first.received_us};
  if (!tracker_.open()) return;
  header_.flags |= kStartsInTransaction;
  header_.open_lsn = tracker_.open_lsn();
  header_.open_rows = tracker_.open_rows();
  if (!open_begin_.empty()) repeat(open_begin_);
}

void BlockBuilder::repeat(std::string_view message) {
  RecordBase base{header_.first_lsn, header_.received_first};
  append_record(prelude_, {RecordKind::wal, true, base.lsn, base.received_us, message}, base);
  ++header_.records;
}

Result<void> BlockBuilder::note_schema(const RecordView& record) {
  needed_.clear();
  const char letter = wal_letter(record.body);
  if (record.kind == RecordKind::snapshot_row) {
    if (record.body.size() >= 4) {
      schema_.use(load_le<std::uint32_t>(record.body.data()), needed_);
    }
  } else if (letter == 'R' || letter == 'Y') {
    header_.flags |= kHasSchema;
    RT_CHECKED(schema_.learn(record.body, record.prelude));
  } else if (letter == 'T' && record.body.size() >= 6) {  // 'T', u32 count, u8 options, oids
    for (std::size_t at = 6; at + 4 <= record.body.size(); at += 4) {
      schema_.use(load_be<std::uint32_t>(record.body.data() + at), needed_);
    }
  } else if (const auto relation = relation_of(record.body)) {
    schema_.use(*relation, needed_);
  }
  for (const std::string_view message : needed_) repeat(message);
  return {};
}

Result<void> BlockBuilder::append(const RecordView& record) {
  if (record.body.size() > kMaxRecordBytes - 64) {
    return fail(Code::limit, fmt::format("cannot record a message of {} bytes: the format takes {}",
                                         record.body.size(), kMaxRecordBytes - 64));
  }
  if (empty()) start(record);
  if (record.kind == RecordKind::wal || record.kind == RecordKind::snapshot_row) {
    RT_CHECKED(note_schema(record));
  }
  const bool was_open = tracker_.open();
  tracker_.take(record);
  if (!record.prelude && record.kind == RecordKind::wal) {
    const char letter = wal_letter(record.body);
    if (letter == 'B') open_begin_ = record.body;
    header_.rows += row_changes(record.body);
    if (was_open && !tracker_.open()) ++header_.commits;
  }
  switch (record.kind) {
    case RecordKind::snapshot_begin:
    case RecordKind::snapshot_row:
    case RecordKind::snapshot_end:
      header_.flags |= kHasSnapshot;
      break;
    case RecordKind::gap:
      header_.flags |= kHasGap;
      break;
    case RecordKind::abandon:
      header_.flags |= kHasAbandon;
      break;
    case RecordKind::two_phase:
      header_.flags |= kHasTwoPhase;
      break;
    default:
      break;
  }
  if (records_.empty()) header_.t_first = tracker_.t_hi();
  append_record(records_, record, base_);
  header_.received_last = record.received_us;
  ++header_.records;
  return {};
}

Result<BlockBuilder::Block> BlockBuilder::finish(std::uint64_t previous_offset,
                                                 std::uint64_t chain) {
  prelude_.append(records_);
  header_.raw_bytes = static_cast<std::uint32_t>(prelude_.size());
  header_.last_commit_lsn = tracker_.last_commit_lsn();
  header_.end_lsn = tracker_.end_lsn();
  header_.t_hi = tracker_.t_hi();
  header_.previous_offset = previous_offset;
  header_.chain = hash_bytes(prelude_, chain);
  if (tracker_.open()) header_.flags |= kEndsInTransaction;

  out_.resize(kBlockFrameBytes + ZSTD_compressBound(prelude_.size()));
  const std::size_t size =
      ZSTD_compress2(compressor_.get(), out_.data() + kBlockFrameBytes,
                     out_.size() - kBlockFrameBytes, prelude_.data(), prelude_.size());
  if (ZSTD_isError(size) != 0) {
    return fail(Code::limit, fmt::format("cannot compress a block: {}", ZSTD_getErrorName(size)));
  }
  out_.resize(kBlockFrameBytes + size);
  header_.compressed_bytes = static_cast<std::uint32_t>(size);
  header_.compressed_hash = hash_bytes(std::string_view(out_).substr(kBlockFrameBytes));
  std::string head;
  append_frame(head, header_);
  out_.replace(0, kBlockFrameBytes, head);

  const Block block{header_, out_};
  header_ = {};
  recycle(records_);
  recycle(prelude_);
  schema_.start_block();
  return block;
}

}  // namespace rt::archive

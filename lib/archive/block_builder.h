// Gathers records into one block and makes the bytes of it: header frame B, then zstd frame Z.
// No file and no clock; one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/frames.h"
#include "archive/record_codec.h"
#include "archive/schema_memory.h"
#include "archive/stream_tracker.h"

struct ZSTD_CCtx_s;

namespace rt::archive {

class BlockBuilder {
 public:
  explicit BlockBuilder(int compression_level);

  // Adds a record (the tracker learns of it as well).
  Result<void> append(const RecordView& record);
  bool empty() const { return header_.records == 0; }
  std::size_t raw_bytes() const { return records_.size() + prelude_.size(); }

  struct Block {
    BlockHeader header;
    std::string_view bytes;  // B and Z, until the next call
  };
  // Closes the block; `previous_offset` and `chain` are those of the block before.
  Result<Block> finish(std::uint64_t previous_offset, std::uint64_t chain);

  StreamTracker& tracker() { return tracker_; }
  const StreamTracker& tracker() const { return tracker_; }

 private:
  void start(const RecordView& first);
  Result<void> note_schema(const RecordView& record);
  void repeat(std::string_view message);

  struct FreeContext {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, FreeContext> compressor_;
  StreamTracker tracker_;
  SchemaMemory schema_;
  BlockHeader header_;
  RecordBase base_;
  std::string records_;
  std::string prelude_;
  std::string
      open_begin_;  // the Begin of the open transaction, repeated by blocks that start inside it
  std::string out_;
  std::vector<std::string_view> needed_;
};

}  // namespace rt::archive

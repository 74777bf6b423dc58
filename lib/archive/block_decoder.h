// From the bytes of a file to the records of a block: checks the data's checksum, decompresses, and
// checks the chain. Reuses its buffers. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "archive/frames.h"
#include "archive/segment_file.h"

struct ZSTD_DCtx_s;

namespace rt::archive {

class BlockDecoder {
 public:
  // A block that claims to hold more is damage, not data.
  explicit BlockDecoder(std::size_t max_raw_bytes = kMaxBlockRawBytes);

  // The content of the block at `offset`, valid until the next call. `chain` is that of the block
  // before, nothing if that block is lost (the chain is then not checked).
  Result<std::string_view> decode(const SegmentFile& file, std::uint64_t offset,
                                  const BlockHeader& header, std::optional<std::uint64_t> chain);

 private:
  struct FreeContext {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_DCtx_s, FreeContext> decompressor_;
  std::size_t max_raw_bytes_;
  std::string compressed_;
  std::string raw_;
};

}  // namespace rt::archive

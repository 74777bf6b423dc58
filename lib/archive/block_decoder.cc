#include "archive/block_decoder.h"

#include <fmt/format.h>
#include <zstd.h>

namespace rt::archive {
namespace {

tl::unexpected<Error> damaged(const SegmentFile& file, std::uint64_t offset,
                              std::string_view what) {
  return fail(Code::integrity,
              fmt::format("{} is damaged at offset {}: {}", file.path(), offset, what));
}

}  // namespace

void BlockDecoder::FreeContext::operator()(ZSTD_DCtx_s* context) const {
  ZSTD_freeDCtx(context);
}

BlockDecoder::BlockDecoder(std::size_t max_raw_bytes)
    : decompressor_(ZSTD_createDCtx()), max_raw_bytes_(max_raw_bytes) {
  RT_CHECK(decompressor_ != nullptr);
}

Result<std::string_view> BlockDecoder::decode(const SegmentFile& file, std::uint64_t offset,
                                              const BlockHeader& header,
                                              std::optional<std::uint64_t> chain) {
  if (header.raw_bytes > max_raw_bytes_) {
    return damaged(file, offset, fmt::format("a block claims {} bytes", header.raw_bytes));
  }
  RT_CHECKED(file.read_at(offset + kBlockFrameBytes, header.compressed_bytes, compressed_));
  if (compressed_.size() != header.compressed_bytes ||
      hash_bytes(compressed_) != header.compressed_hash) {
    return damaged(file, offset, "a block's data does not match its checksum");
  }
  if (ZSTD_getFrameContentSize(compressed_.data(), compressed_.size()) != header.raw_bytes) {
    return damaged(file, offset, "a block's data is not as long as its header says");
  }
  raw_.resize(header.raw_bytes);
  const std::size_t size = ZSTD_decompressDCtx(decompressor_.get(), raw_.data(), raw_.size(),
                                               compressed_.data(), compressed_.size());
  if (ZSTD_isError(size) != 0 || size != raw_.size()) {
    return damaged(file, offset, "a block's data cannot be decompressed");
  }
  if (chain && hash_bytes(raw_, *chain) != header.chain) {
    return damaged(file, offset, "a block is missing before this one, or in another's place");
  }
  return std::string_view(raw_);
}

}  // namespace rt::archive

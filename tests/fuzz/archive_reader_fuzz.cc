// A file of any bytes: read in every mode, sought in, decoded block by block, and repaired. The
// checksums are made right first where the input says so, so that damage reaches the inner layers.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "archive/bodies.h"
#include "archive/reader.h"
#include "archive/wire.h"

namespace {

using namespace rt;
using namespace rt::archive;

// Gives each frame that says it is ours a matching checksum, and each block header those of its
// data.
void mend(std::string& bytes) {
  std::size_t at = 0;
  while (at + kFrameHeadBytes + kTagBytes + kChecksumBytes <= bytes.size()) {
    const std::size_t size = load_le<std::uint32_t>(bytes.data() + at + 4);
    const std::size_t end = at + kFrameHeadBytes + size;
    if (size < kTagBytes + kChecksumBytes || end > bytes.size()) return;
    const char kind = bytes[at + 12];
    std::size_t data = 0;
    if (kind == 'B' && size == kBlockHeaderBytes) {
      data =
          std::min<std::size_t>(load_le<std::uint32_t>(bytes.data() + at + 16), bytes.size() - end);
      store_le(bytes.data() + at + 24, hash_bytes(std::string_view(bytes).substr(end, data)));
    }
    const std::size_t covered = size - kChecksumBytes;
    store_le(bytes.data() + at + kFrameHeadBytes + covered,
             hash_bytes(std::string_view(bytes).substr(at + kFrameHeadBytes, covered)));
    at = end + data;
  }
}

void read_all(const std::string& path, const ReadOptions& options) {
  auto reader = Reader::open(path, options);
  if (!reader) return;
  Entry entry;
  for (int i = 0; i < 20'000; ++i) {
    const auto more = reader->next(entry);
    if (!more || !*more) break;
    decode_sse(entry.record.body);
    decode_notify(entry.record.body);
    decode_snapshot_row(entry.record.body);
  }
  for (std::size_t i = 0; i < reader->block_count() && i < 16; ++i) {
    if (const auto block = reader->read_block(i)) block->each([](const RecordView&) {});
    if (reader->seek({reader->block(i).last_commit_lsn, 1})) (void)reader->next(entry);
    if (reader->seek(from_unix_us(reader->block(i).t_hi))) (void)reader->next(entry);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  std::string content(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  if ((bytes[0] & 1) != 0) mend(content);
  static const Fd file(::memfd_create("fuzz", MFD_CLOEXEC));
  static const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  if (::ftruncate(file.get(), 0) != 0) return 0;
  if (::pwrite(file.get(), content.data(), content.size(), 0) < 0) return 0;
  ReadOptions options;
  options.max_block_raw_bytes = 1 << 20;  // a claim is not an allocation of gigabytes
  options.use_index = (bytes[0] & 2) == 0;
  options.committed_only = (bytes[0] & 4) != 0;
  options.live = (bytes[0] & 8) != 0;
  for (const OnDamage mode : {OnDamage::strict, OnDamage::point_in_time, OnDamage::salvage}) {
    options.on_damage = mode;
    read_all(path, options);
  }
  return 0;
}

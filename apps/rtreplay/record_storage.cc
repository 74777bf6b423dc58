#include "rtreplay/record_storage.h"

#include <fmt/format.h>

#include "archive/segment_file.h"
#include "base/text.h"
#include "base/units.h"

namespace rt::rtreplay {
namespace {

// Zstandard's fastest: what it leaves is raw but for its frame, which every reader of the format
// expects.
constexpr int kNoCompression = -131'072;
constexpr std::uint64_t kLevelMax = 19;  // above it, a block would need more memory than it saves

Result<void> read_rotation(std::string_view text, archive::WriterOptions& options) {
  if (const auto age = parse_duration(text); age && *age > Duration(0)) {
    options.rotate_age = *age;
    return {};
  }
  const auto bytes = parse_bytes(text);
  if (bytes && *bytes > 0) {
    options.rotate_bytes = *bytes;
    return {};
  }
  return fail(Code::usage,
              fmt::format("cannot read --rotate \"{}\": a size like 256MiB, a time like 10m, or "
                          "both with a comma",
                          text));
}

Result<int> compression_level(std::string_view text) {
  if (text == "none") return kNoCompression;
  if (text == "zstd") return archive::WriterOptions().compression_level;
  if (text.starts_with("zstd:")) {
    const auto level = parse_decimal(text.substr(5));
    if (level && *level >= 1 && *level <= kLevelMax) return static_cast<int>(*level);
  }
  return fail(Code::usage, fmt::format("cannot read --compress \"{}\": zstd, zstd:1 to zstd:{}, or "
                                       "none",
                                       text, kLevelMax));
}

}  // namespace

void add_storage_options(CLI::App* app, StorageFlags& flags) {
  app->add_option("--rotate", flags.rotate,
                  "New segment of a directory after this much or this long (256MiB, 10m)")
      ->type_name("SIZE|TIME");
  app->add_option("--compress", flags.compress, "zstd, zstd:LEVEL (1 to 19), or none")
      ->type_name("HOW");
}

Result<archive::WriterOptions> storage_options(const StorageFlags& flags,
                                               const std::string& archive) {
  archive::WriterOptions options;
  if (!flags.compress.empty()) {
    options.compression_level = RT_TRY(compression_level(flags.compress));
  }
  if (flags.rotate.empty()) return options;
  if (archive::is_single_file(archive)) {
    return fail(Code::usage, fmt::format("cannot rotate {}: it is a single file", archive),
                "name a directory with -o");
  }
  for (const std::string_view part : split(flags.rotate, ',')) {
    RT_CHECKED(read_rotation(trim(part), options));
  }
  return options;
}

}  // namespace rt::rtreplay

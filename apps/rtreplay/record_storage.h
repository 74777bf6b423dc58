// Options of `rtreplay record` that say how the archive is written.
#pragma once

#include <string>

#include "archive/writer.h"
#include "base/result.h"
#include "cli/tool.h"

namespace rt::rtreplay {

struct StorageFlags {
  std::string rotate;    // "256MiB", "10m", or both with a comma
  std::string compress;  // "zstd", "zstd:LEVEL", "none"
};

// Declares --rotate and --compress.
void add_storage_options(CLI::App* app, StorageFlags& flags);
// Code::usage for what cannot be read, or does not fit the archive.
Result<archive::WriterOptions> storage_options(const StorageFlags& flags,
                                               const std::string& archive);

}  // namespace rt::rtreplay

// Opening the archive of `rtreplay record`: a new one, or one to go on with.
#pragma once

#include <string>

#include "archive/writer.h"
#include "base/result.h"

namespace rt::rtreplay {

struct OpenedArchive {
  archive::Writer writer;
  bool resumed = false;
};

// `origin` is what a new one will say; an old one must be of the same cluster.
// Says on standard error what was repaired.
Result<OpenedArchive> open_archive(const std::string& path, const archive::Origin& origin,
                                   const archive::WriterOptions& options = {});

// The command line and the host as JSON notes for the recording's header; passwords left out.
std::string notes_json(const std::string& kind, const std::string& source);

}  // namespace rt::rtreplay

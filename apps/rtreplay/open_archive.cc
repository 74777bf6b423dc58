#include "rtreplay/open_archive.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/units.h"

namespace rt::rtreplay {

std::string notes_json(const std::string& kind, const std::string& source) {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  const nlohmann::ordered_json notes = {{"kind", kind}, {"source", source}, {"host", host}};
  return notes.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<OpenedArchive> open_archive(const std::string& path, const archive::Origin& origin,
                                   const archive::WriterOptions& options) {
  const archive::Moment now = archive::Moment::of(SystemClock());
  if (!archive::Writer::exists(path)) {
    return OpenedArchive{RT_TRY(archive::Writer::create(path, origin, now, options)), false};
  }
  OpenedArchive opened{RT_TRY(archive::Writer::open(path, now, options)), true};
  RT_CHECKED(opened.writer.check_origin(origin));
  const archive::Recovery& recovered = opened.writer.recovered();
  if (recovered.torn_bytes > 0) {
    std::fprintf(
        stderr, "rtreplay: %s\n",
        fmt::format("repaired {}: the last write was cut off ({}), kept in {}", path,
                    format_bytes(static_cast<double>(recovered.torn_bytes)), recovered.saved_as)
            .c_str());
  }
  return opened;
}

}  // namespace rt::rtreplay

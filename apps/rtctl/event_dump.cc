#include "rtctl/event_dump.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>

namespace rt::rtctl {

std::string dump_name(const ShownEvent& event, std::uint64_t n) {
  constexpr std::size_t kNameBytesMax = 120;  // file systems take 255; a shell's line is shorter
  std::string name = fmt::format("{:08}-{}", n, event.event);
  if (!event.id.empty()) name.append("-").append(event.id);
  name.resize(std::min(name.size(), kNameBytesMax));
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';
    if (!plain) c = '_';
  }
  return name;
}

Result<void> prepare_dump(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0777) == 0 || errno == EEXIST) return {};
  return fail(os_error("cannot create folder " + folder, errno, Code::usage));
}

Result<void> dump_event(const std::string& folder, const ShownEvent& event, std::uint64_t n) {
  const std::string path = folder + "/" + dump_name(event, n);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(event.data.data(), static_cast<std::streamsize>(event.data.size()));
  file.close();
  if (file) return {};
  return fail(os_error("cannot write " + path, errno));
}

}  // namespace rt::rtctl

#include "server/history_files.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>

#include "archive/segment_file.h"
#include "archive/writer.h"
#include "base/text.h"

namespace rt::server {
namespace {

constexpr std::string_view kSuffix = ".rtr";

std::string state_folder(const std::string& directory) {
  return directory + "/state";
}

// "000012" of ".../0000-000012.rtr"; nothing if it is no number.
std::optional<std::uint64_t> number_in(std::string_view path, char before) {
  if (!path.ends_with(kSuffix)) return std::nullopt;
  path.remove_suffix(kSuffix.size());
  return parse_decimal(path.substr(path.find_last_of(before) + 1));
}

Result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return fail(os_error("cannot remove " + path, errno, Code::limit));
}

std::vector<HistoryState> all_states(const std::string& directory) {
  std::vector<HistoryState> states;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(state_folder(directory), error)) {
    const std::string path = entry.path().string();
    const auto number = number_in(path, '/');
    std::error_code size_error;
    const auto bytes = entry.file_size(size_error);
    if (number && !size_error) states.push_back({path, *number, bytes});
  }
  return states;
}

}  // namespace

Result<std::vector<HistorySegment>> history_segments(const std::string& directory) {
  std::vector<HistorySegment> segments;
  if (!archive::Writer::exists(directory)) return segments;
  const std::vector<std::string> paths = RT_TRY(archive::segment_paths(directory));
  for (const std::string& path : paths) {
    struct stat facts {};
    const auto number = number_in(path, '-');
    if (!number || ::stat(path.c_str(), &facts) != 0) {
      return fail(os_error("cannot use the segment " + path, errno));
    }
    segments.push_back({path, *number, static_cast<std::uint64_t>(facts.st_size),
                        std::int64_t{facts.st_mtim.tv_sec} * 1'000'000 +
                            std::int64_t{facts.st_mtim.tv_nsec} / 1'000});
  }
  return segments;
}

std::optional<HistoryState> history_state(const std::string& directory) {
  std::optional<HistoryState> newest;
  for (HistoryState& state : all_states(directory)) {
    if (!newest || state.number > newest->number) newest = std::move(state);
  }
  return newest;
}

std::string history_state_path(const std::string& directory, std::uint64_t number) {
  return fmt::format("{}/{:06}{}", state_folder(directory), number, kSuffix);
}

std::string unfinished_state_path(const std::string& directory) {
  return state_folder(directory) + "/unfinished.rtr";
}

Result<std::size_t> remove_folded(const std::string& directory) {
  RT_CHECKED(remove_file(unfinished_state_path(directory)));
  const auto newest = history_state(directory);
  if (!newest) return std::size_t{0};
  std::size_t removed = 0;
  const std::vector<HistorySegment> segments = RT_TRY(history_segments(directory));
  for (const HistorySegment& segment : segments) {
    if (segment.number > newest->number) break;
    RT_CHECKED(remove_file(segment.path));
    ++removed;
  }
  for (const HistoryState& state : all_states(directory)) {
    if (state.number < newest->number) RT_CHECKED(remove_file(state.path));
  }
  return removed;
}

}  // namespace rt::server

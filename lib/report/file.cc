#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "report/json.h"

namespace rt {

Result<void> write_report(const std::string& path, const std::string& text) {
  const auto refuse = [&] {
    return fail(os_error(fmt::format("cannot write report {}", path), errno, Code::limit));
  };
  std::error_code ignored;  // if the folder is missing afterwards, opening says so
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const std::string beside = path + ".part";
  std::FILE* file = std::fopen(beside.c_str(), "wb");
  if (file == nullptr) return refuse();
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (const bool closed = std::fclose(file) == 0; !written || !closed) return refuse();
  if (std::rename(beside.c_str(), path.c_str()) != 0) return refuse();
  return {};
}

}  // namespace rt

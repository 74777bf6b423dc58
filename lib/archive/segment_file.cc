#include "archive/segment_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/text.h"

namespace rt::archive {
namespace {

constexpr std::string_view kSuffix = ".rtr";

Error file_error(std::string_view verb, const std::string& path) {
  const int code = errno;
  const bool by_user = code == ENOENT || code == ENOTDIR || code == EISDIR;
  return os_error(fmt::format("cannot {} {}", verb, path), code,
                  by_user ? Code::usage : Code::limit);
}

Result<void> lock(int fd, const std::string& path) {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(fd, F_OFD_SETLK, &whole) == 0) return {};
  if (errno == EAGAIN || errno == EACCES) {
    return fail(Code::refused, fmt::format("cannot write {}: another process is writing it", path),
                "stop that process, or record into another archive");
  }
  return fail(file_error("lock", path));
}

bool is_directory(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

bool is_file(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 && !S_ISDIR(facts.st_mode);
}

// Number in "<16 hex>-<6 or more digits>.rtr", 0 if the name is another.
std::uint64_t segment_number(std::string_view name) {
  if (name.size() < 27 || !name.ends_with(kSuffix) || name[16] != '-') return 0;
  if (!parse_hex(name.substr(0, 16))) return 0;
  return parse_decimal(name.substr(17, name.size() - 17 - kSuffix.size())).value_or(0);
}

}  // namespace

Result<SegmentFile> SegmentFile::open_to_read(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(file_error("open", path));
  return SegmentFile(std::move(fd), path);
}

Result<SegmentFile> SegmentFile::open_to_append(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return fail(file_error("open", path));
  RT_CHECKED(lock(fd.get(), path));
  return SegmentFile(std::move(fd), path);
}

Result<SegmentFile> SegmentFile::create(const std::string& path, std::string_view head) {
  // Under another name until the head is durable, so that no crash leaves half a header behind.
  const std::string draft = path + ".new";
  Fd fd(::open(draft.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return fail(file_error("create", path));
  RT_CHECKED(lock(fd.get(), path));
  SegmentFile file(std::move(fd), path);
  RT_CHECKED(file.truncate(0));
  RT_CHECKED(file.write_at(0, head));
  RT_CHECKED(file.sync());
  struct stat facts {};
  const bool replaces_empty = ::stat(path.c_str(), &facts) == 0 && facts.st_size == 0;
  const unsigned flags = replaces_empty ? 0u : RENAME_NOREPLACE;
  if (::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, path.c_str(), flags) != 0) {
    const int code = errno;
    ::unlink(draft.c_str());
    if (code == EEXIST) {
      return fail(Code::usage, fmt::format("cannot create {}: it exists", path));
    }
    return fail(os_error("cannot create " + path, code));
  }
  RT_CHECKED(sync_directory_of(path));
  return file;
}

Result<std::uint64_t> SegmentFile::size() const {
  struct stat facts {};
  if (::fstat(fd_.get(), &facts) != 0) return fail(file_error("examine", path_));
  return static_cast<std::uint64_t>(facts.st_size);
}

Result<void> SegmentFile::read_at(std::uint64_t offset, std::size_t size, std::string& out) const {
  out.resize(size);
  std::size_t got = 0;
  while (got < size) {
    const ssize_t n =
        ::pread(fd_.get(), out.data() + got, size - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(file_error("read", path_));
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  out.resize(got);
  return {};
}

Result<void> SegmentFile::write_at(std::uint64_t offset, std::string_view bytes) const {
  std::size_t put = 0;
  while (put < bytes.size()) {
    const ssize_t n = ::pwrite(fd_.get(), bytes.data() + put, bytes.size() - put,
                               static_cast<off_t>(offset + put));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(file_error("write", path_));
    put += static_cast<std::size_t>(n);
  }
  return {};
}

Result<void> SegmentFile::truncate(std::uint64_t size) const {
  if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
    return fail(file_error("truncate", path_));
  }
  return {};
}

Result<void> SegmentFile::sync() const {
  if (::fdatasync(fd_.get()) != 0) return fail(file_error("make durable", path_));
  return {};
}

Result<void> sync_directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return fail(file_error("make durable", directory));
  return {};
}

std::string segment_path(const std::string& directory, std::uint64_t lsn, std::uint32_t number) {
  return fmt::format("{}/{:016X}-{:06}.rtr", directory, lsn, number);
}

bool is_single_file(const std::string& path) {
  return is_file(path) || (!is_directory(path) && path.ends_with(kSuffix));
}

Result<std::vector<std::string>> segment_paths(const std::string& path) {
  if (!is_directory(path)) {
    if (::access(path.c_str(), F_OK) != 0) return fail(file_error("open", path));
    return std::vector<std::string>{path};
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (directory == nullptr) return fail(file_error("open", path));
  std::vector<std::pair<std::uint64_t, std::string>> found;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::uint64_t number = segment_number(entry->d_name);
    if (number != 0) found.emplace_back(number, path + "/" + entry->d_name);
  }
  if (found.empty()) {
    return fail(Code::usage,
                fmt::format("cannot open {}: no segment (*.rtr) in this directory", path));
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> paths;
  for (auto& [number, name] : found) paths.push_back(std::move(name));
  return paths;
}

}  // namespace rt::archive

// One segment's file: reading at an offset, appending, locking, naming. Every failure names the
// path. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace rt::archive {

class SegmentFile {
 public:
  SegmentFile() = default;

  static Result<SegmentFile> open_to_read(const std::string& path);
  // Locks it against other writers (an open-file-description lock, freed with the descriptor).
  static Result<SegmentFile> open_to_append(const std::string& path);
  // Makes a file that begins with `head`, durably, directory entry included. It must not exist, or
  // be empty.
  static Result<SegmentFile> create(const std::string& path, std::string_view head);

  const std::string& path() const { return path_; }
  explicit operator bool() const { return static_cast<bool>(fd_); }
  Result<std::uint64_t> size() const;
  // Up to `size` bytes into `out` (resized); fewer only at the end of the file.
  Result<void> read_at(std::uint64_t offset, std::size_t size, std::string& out) const;
  Result<void> write_at(std::uint64_t offset, std::string_view bytes) const;
  Result<void> truncate(std::uint64_t size) const;
  Result<void> sync() const;  // fdatasync
  void close() { fd_.close(); }

 private:
  SegmentFile(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Fd fd_;
  std::string path_;
};

// The segments of a recording in order: the file itself, or the *.rtr of a directory by segment
// number. Code::usage if there is none.
Result<std::vector<std::string>> segment_paths(const std::string& path);
// A recording is one file if its name ends in ".rtr" or a file is there already, else a directory.
bool is_single_file(const std::string& path);
// "<directory>/<lower bound of its commit LSNs>-<number>.rtr"
std::string segment_path(const std::string& directory, std::uint64_t lsn, std::uint32_t number);
Result<void> sync_directory_of(const std::string& path);

}  // namespace rt::archive

// Where printed events go: standard output, or a file. Gathers what is printed between two flushes;
// knows how long a file is, and when nobody reads a pipe any more. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace rt::rtctl {

class EventOutput {
 public:
  // path: "" or "-" is standard output. A file is emptied, unless keep_bytes says how much of what
  // is there belongs to the events before: the rest is cut off, and a shorter file is refused
  // (Code::usage), because events would be missing from it.
  static Result<EventOutput> open(const std::string& path, std::optional<std::uint64_t> keep_bytes);

  std::string& pending() { return pending_; }
  // More than this need not be gathered before a flush.
  bool is_full() const { return pending_.size() >= kPendingBytesMax; }
  // Writes everything; false when nobody takes it any more, or it cannot be written.
  bool flush();
  // What was flushed survives a crash of the machine; nothing to do for a pipe.
  Result<void> sync();

  int fd() const { return file_ ? file_.get() : 1; }
  bool is_file() const { return static_cast<bool>(file_); }
  std::uint64_t bytes() const { return bytes_; }  // of a file: its length
  bool reader_gone() const { return reader_gone_; }
  const std::optional<Error>& error() const { return error_; }

 private:
  static constexpr std::size_t kPendingBytesMax = 64 * 1024;  // one pipe's worth

  Fd file_;
  std::string path_;
  std::string pending_;
  std::uint64_t bytes_ = 0;
  bool reader_gone_ = false;
  std::optional<Error> error_;
};

}  // namespace rt::rtctl

// What a subscriber received: the file that `rtctl subscribe --json -o FILE` wrote, one record a
// line. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "cli/line_reader.h"

namespace rt::rtreplay {

struct LoggedRecord {
  enum class Kind : std::uint8_t { event, gap, other };
  Kind kind = Kind::other;
  std::size_t line = 0;
  std::string id;
  std::string event;
  std::string topic;
  std::string data;  // as the stream had it; of --parse-json the same JSON in another spelling
  std::uint64_t connection = 0;
};

class ReceivedLog {
 public:
  // "-" is standard input. Code::usage if it cannot be read.
  static Result<ReceivedLog> open(const std::string& path);

  // False at the end. A last line that was cut off is left out; see is_torn(). Code::usage names
  // the line that is no such record.
  Result<bool> next(LoggedRecord& record);
  bool is_torn() const { return torn_; }

 private:
  ReceivedLog(std::string path, Fd file, int fd)
      : path_(std::move(path)), file_(std::move(file)), lines_(fd) {}

  std::string path_;
  Fd file_;
  cli::LineReader lines_;
  std::optional<std::string> ahead_;
  bool started_ = false;
  bool torn_ = false;
};

}  // namespace rt::rtreplay

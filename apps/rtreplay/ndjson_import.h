// Lines of NDJSON into records: what `rtreplay convert --as ndjson` wrote, or rows as `cat` prints
// them, for which tables and transactions are made up. docs/recordings.md names each line.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "archive/frames.h"
#include "base/record.h"
#include "base/result.h"

namespace rt::rtreplay {

// One thread. Holds the tables and one line.
class NdjsonImport {
 public:
  using Put = std::function<Result<void>(const RecordView&)>;
  NdjsonImport();
  ~NdjsonImport();

  // The header that a first line gives, or nothing: the line is then one to take().
  static Result<std::optional<archive::Origin>> read_header(std::string_view line);
  // What a recording is called whose lines say nothing of where they come from.
  static archive::Origin unknown_origin();
  // Code::usage, and what is wrong, for a line that is none of ours. Its records are put in order.
  Result<void> take(std::string_view line, const Put& put);
  // After the last line: ends a transaction that was made up.
  Result<void> finish(const Put& put);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace rt::rtreplay

// Every verb of every tool is a pipe: a source of records, an optional transform, a sink.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "base/record.h"
#include "base/result.h"

namespace rt {

// Where records come from: a WAL slot, an SSE stream, a channel, an archive.
class Source {
 public:
  // Takes a batch (and may move its content away); an error ends the run with that error.
  using Take = std::function<Result<void>(RecordBatch& batch)>;

  virtual ~Source() = default;

  // Yields batches, in order, on the calling thread, until stopped (success), at the end of a
  // finite source (success), or on a failure that trying again cannot mend. Lost connections are
  // mended inside. Returns within about 1 s of a stop request.
  virtual Result<void> run(std::stop_token stop, const Take& take) = 0;

  // Everything up to this LSN is safe with us: the source need not send it again. Any thread.
  virtual void confirm(std::uint64_t lsn) { (void)lsn; }
};

}  // namespace rt

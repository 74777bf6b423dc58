// Where records go: an archive, standard output, a server, a database.
#pragma once

#include "base/record.h"
#include "base/result.h"

namespace rt {

class Sink {
 public:
  virtual ~Sink() = default;
  // Takes one record, in stream order. One thread at a time.
  virtual Result<void> put(const RecordView& record) = 0;
  // Everything put so far is handed on (written, sent); called between batches and before waiting.
  virtual Result<void> flush() { return {}; }
  // The last call: nothing is put after it.
  virtual Result<void> close() { return flush(); }
};

}  // namespace rt

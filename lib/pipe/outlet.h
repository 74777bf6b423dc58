// Where a source that reads on its caller's thread puts its records: gathered into batches, stamped
// with the time of arrival. One thread.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/record.h"
#include "base/result.h"
#include "pipe/source.h"

namespace rt {

class Outlet {
 public:
  explicit Outlet(const Source::Take& take) : take_(take) {}

  void put(RecordKind kind, std::string_view body) {
    batch_.append({kind, false, 0, unix_us(clock_.wall()), body});
  }
  // Large enough to be handed over before the source has run dry: cheap per record, and still in a
  // cache.
  bool due() const { return batch_.size() >= 4096 || batch_.body_bytes() >= 1024 * 1024; }
  // Hands over what there is. False when the taker has failed: stop; taken() says why.
  bool hand_over() {
    if (taken_ && !batch_.empty()) {
      taken_ = take_(batch_);
      batch_.clear();
    }
    return taken_.has_value();
  }
  const Result<void>& taken() const { return taken_; }

 private:
  const Source::Take& take_;
  SystemClock clock_;
  RecordBatch batch_;
  Result<void> taken_;
};

}  // namespace rt

#include "pipe/batch_writer.h"

#include <chrono>

namespace rt {

Result<void> BatchWriter::flush(const std::function<Result<void>()>& waiting) {
  while (!batch_.empty()) {
    switch (queue_.push(batch_, std::chrono::milliseconds(100))) {
      case BatchQueue::Push::pushed:
        return {};
      case BatchQueue::Push::closed:
        return fail(Code::cancelled, "stopped");
      case BatchQueue::Push::full:
        if (waiting) RT_CHECKED(waiting());
        break;
    }
  }
  return {};
}

}  // namespace rt

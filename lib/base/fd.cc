#include "base/fd.h"

#include <unistd.h>

namespace rt {

void Fd::close() {
  if (fd_ >= 0) ::close(fd_);  // the descriptor is gone even on EINTR (Linux)
  fd_ = -1;
}

}  // namespace rt

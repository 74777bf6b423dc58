#include "io/descriptors.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace rt::io {

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  // One table never needs more than this: shards are meant to stay small.
  constexpr rlim_t kTableMax = 1'000'000;
  return static_cast<std::size_t>(std::min(limit.rlim_cur, kTableMax));
}

Result<void> own_descriptor_table(std::span<const int> keep) {
  if (::unshare(CLONE_FILES) != 0) {
    return fail(os_error("cannot give a thread its own descriptor table", errno));
  }
  std::vector<unsigned> kept{0, 1, 2};
  for (const int fd : keep) kept.push_back(static_cast<unsigned>(fd));
  std::sort(kept.begin(), kept.end());
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  unsigned from = 0;
  for (const unsigned fd : kept) {
    if (fd > from) ::close_range(from, fd - 1, 0);
    from = fd + 1;
  }
  ::close_range(from, ~0U, 0);
  return {};
}

}  // namespace rt::io

// Descriptor tables. RLIMIT_NOFILE bounds a table, not a process: a thread that calls
// unshare(CLONE_FILES) has a table of its own, so that one process without privileges can hold
// far more sockets than its hard limit (docs/adr/0002).
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"

namespace rt::io {

// Raises the soft limit to the hard one. Returns the limit of one table.
std::size_t raise_descriptor_limit();

// Gives the calling thread a table of its own and closes in it everything but standard input,
// output, error and `keep` (the same numbers stay valid in both tables). Descriptors that this
// thread opens later are unknown to other threads; closing one here does not close it there.
Result<void> own_descriptor_table(std::span<const int> keep);

}  // namespace rt::io

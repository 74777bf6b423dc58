// Counters of the kernel's TCP that tell a full queue from a slow program. Any thread.
#pragma once

#include <string_view>

#include "load/outcome.h"

namespace rt {

// Of /proc/net/netstat; zeros when it cannot be read.
KernelCounts read_kernel_counts();
// From its text: a line of names, then a line of values, each beginning with "TcpExt:".
KernelCounts parse_kernel_counts(std::string_view netstat);
KernelCounts counted_since(const KernelCounts& before, const KernelCounts& after);

}  // namespace rt

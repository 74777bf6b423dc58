// Where connections to a target may begin. One source address gives some 28,000 ports towards one
// target address, so that many connections need several: loopback has 127.0.1.1 and on, and any
// other interface has the addresses it was given. Any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "io/socket.h"

namespace rt {

// How many there are for this target; at least 1.
std::uint64_t count_source_addresses(const io::Address& target);
// The first `count` of them. Empty for one: the kernel's own choice serves.
std::vector<io::Address> source_addresses(const io::Address& target, std::uint64_t count);

}  // namespace rt

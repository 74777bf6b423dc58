// When bytes came: the kernel notes it as a packet arrives (SO_TIMESTAMPNS, socket(7)), long before
// a busy thread reads. A socket's stamps cost nothing while it is idle. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rt::io {

// What one read brought.
struct Arrival {
  std::int64_t bytes = 0;  // 0: the peer said goodbye; -1: see error
  int error = 0;           // errno
  // When the last of the bytes came, in nanoseconds since 1970 (CLOCK_REALTIME, which kernels use
  // for stamps); 0: nobody knows. What came before it in the same read is older.
  std::int64_t stamp_unix_ns = 0;
};

// From now on the kernel stamps what arrives for this socket. A kernel that cannot leaves the
// stamps at 0.
void stamp_arrivals(int fd);

// recv() without waiting, with the stamp.
Arrival receive(int fd, char* out, std::size_t size);

}  // namespace rt::io

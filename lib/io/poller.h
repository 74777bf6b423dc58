// Readiness of many descriptors (epoll). One thread. The seam behind which another kernel interface
// (io_uring) can stand: nothing outside lib/io sees epoll.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace rt::io {

struct Ready {
  std::uint64_t token = 0;  // what was given to watch()
  bool readable = false;    // data, end of stream, or an error to be read
  bool writable = false;
};

enum class Interest : std::uint8_t { read = 1, write = 2, read_write = 3 };

class Poller {
 public:
  static Result<Poller> create();

  // Level-triggered unless `edge`. The token comes back with each readiness; putting a slot number
  // and its generation into it lets the owner drop an event for a descriptor that was closed and
  // reused.
  Result<void> watch(int fd, std::uint64_t token, Interest interest, bool edge = false);
  Result<void> change(int fd, std::uint64_t token, Interest interest, bool edge = false);
  // Closing a descriptor unwatches it; this is for descriptors that stay open.
  void unwatch(int fd);

  // Waits until something is ready, or until `deadline` (nullopt: no deadline), and fills `out`
  // from its start. Returns how many. `now` is the caller's reading of the clock before the call.
  std::size_t wait(std::span<Ready> out, std::optional<Instant> deadline, Instant now);

  // Readable while something is ready: to wait for it with another deadline, or among others.
  int fd() const { return fd_.get(); }

  static constexpr std::size_t kBatchMax = 512;  // events taken from the kernel in one call

 private:
  explicit Poller(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace rt::io

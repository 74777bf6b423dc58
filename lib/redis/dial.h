// Sockets to a Redis server and waits on them. Internal to lib/redis.
#pragma once

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "redis/address.h"

namespace rt::redis {

// A connected, non-blocking socket. Resolving a host's name may block.
Result<Fd> dial(const RedisAddress& address, Instant deadline, int cancel_fd);

// True when the socket is ready for `events` (poll's), false when the deadline has passed;
// Code::cancelled when cancel_fd (or -1) is readable.
Result<bool> wait_for(int fd, short events, Instant deadline, int cancel_fd);

}  // namespace rt::redis

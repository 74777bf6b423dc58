// A Redis of a test's own: on a free loopback port and a socket in a temporary folder, without
// persistence, gone when the object is. It dies with the test process.
#pragma once

#include <string>
#include <vector>

#include "redis/connection.h"

namespace rt::test {

class PrivateRedis {
 public:
  // more: words for redis-server's command line: {"--requirepass", "secret"}.
  // Fails the test (throws) when it cannot start.
  explicit PrivateRedis(std::vector<std::string> more = {});
  PrivateRedis(const PrivateRedis&) = delete;
  PrivateRedis& operator=(const PrivateRedis&) = delete;
  ~PrivateRedis();

  std::string url() const;       // redis://127.0.0.1:N
  std::string unix_url() const;  // unix:///...
  int port() const { return port_; }
  // Ends it at once, as a crash does; start() brings it back on the same port, empty.
  void kill_9();
  // Stops it (SIGSTOP): connections stand, nothing is answered. Until it is gone.
  void freeze();
  void start();

  // A connection to it; throws on an error.
  RedisConnection connect() const;
  // One command on a short connection of its own; throws on an error.
  RedisReply command(const std::vector<std::string_view>& words) const;

 private:
  std::vector<std::string> more_;
  std::string folder_;
  int port_ = 0;
  int pid_ = 0;
};

}  // namespace rt::test

// Where a Redis server is, and as whom to speak to it. Plain values; pure.
// Source: the redis: URL scheme as IANA registers it and redis-cli reads it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rt {

struct RedisAddress {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string unix_path;  // of a socket; then host and port mean nothing
  std::string user;       // empty: the default user
  std::string password;   // empty: none; never shown
  std::uint32_t database = 0;

  // "host:port/0" or "/path/0": for messages, without a secret.
  std::string text() const;
};

// "redis://[user][:password@]host[:port][/database]" or "unix:///path[?db=2]"; a bare "host:port"
// is taken too. User and password are percent-decoded. Fails with Code::usage, and never repeats
// the text, which may hold a password.
Result<RedisAddress> parse_redis_url(std::string_view url);

}  // namespace rt

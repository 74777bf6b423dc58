// A connection to Redis, owned. Commands and their replies, and messages that the server pushes.
// Every wait is bounded and can be called off. hiredis reads and writes the protocol (RESP2); its
// headers stay in .cc files. Source: redis.io, "Redis serialization protocol specification".
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "redis/address.h"

namespace rt {

struct RedisReply {
  enum class Kind : std::uint8_t { nil, integer, text, array, error };
  Kind kind = Kind::nil;
  std::int64_t integer = 0;
  std::string text;  // of a text (bulk or status) or an error
  std::vector<RedisReply> items;
};

struct RedisOptions {
  // Shown by CLIENT LIST: letters, digits and '-', as Redis allows no spaces there.
  std::string client_name = "realtime";
  // Resolving, connecting, logging in; and then each reply.
  Duration timeout = std::chrono::seconds(10);
  // Becomes readable when every wait is to end with Code::cancelled; -1: never.
  int cancel_fd = -1;
};

// Move-only, one thread at a time. After an error of Code::unreachable or Code::cancelled, destroy
// it.
class RedisConnection {
 public:
  // Logs in and selects the database. Errors: unreachable (try again), refused (password, rights,
  // database), cancelled.
  static Result<RedisConnection> connect(const RedisAddress& address,
                                         const RedisOptions& options = {});

  // One command, one reply. `attempt` names it in errors: "cannot publish to "rt:all"". An error
  // reply is an Error; errors inside an array stay where they are.
  Result<RedisReply> command(const std::vector<std::string_view>& words, std::string_view attempt);

  // command() in two halves, for pipelines and for what the server pushes unasked.
  Result<void> send(const std::vector<std::string_view>& words, std::string_view attempt);
  // nullopt when the deadline passes first. An error reply is a reply here.
  Result<std::optional<RedisReply>> next(Instant deadline, std::string_view attempt);

  int socket() const { return socket_.get(); }
  const std::string& endpoint() const { return endpoint_; }  // "host:port/0", no secret

 private:
  struct ReaderDeleter {
    void operator()(void* reader) const;
  };
  RedisConnection(Fd socket, std::string endpoint, const RedisOptions& options);
  Result<void> log_in(const RedisAddress& address, const RedisOptions& options);
  Result<std::optional<RedisReply>> take_reply(std::string_view attempt);
  Result<bool> wait(short events, Instant deadline, std::string_view attempt);
  Error lost(std::string_view attempt, std::string_view reason) const;

  Fd socket_;
  std::string endpoint_;
  Duration timeout_;
  int cancel_fd_;
  std::unique_ptr<void, ReaderDeleter> reader_;  // redisReader
  std::size_t unread_bytes_ = 0;                 // taken in since the last complete reply
};

// What an error reply means: "WRONGPASS invalid username-password pair" and so on.
Error redis_error(std::string_view attempt, std::string_view endpoint, std::string_view reply);

// "hiredis/0.14.1"
std::string redis_library_version();

}  // namespace rt

#include "redis/connection.h"

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/log.h"
#include "redis/dial.h"

namespace rt {
namespace {

const SystemClock kClock;

// An event is at most 16 MiB elsewhere in this toolkit; a batch of stream entries may hold some.
constexpr std::size_t kReplyBytesMax = 64u << 20;

RedisReply copy(const redisReply& from) {
  RedisReply to;
  switch (from.type) {
    case REDIS_REPLY_INTEGER:
      to.kind = RedisReply::Kind::integer;
      to.integer = from.integer;
      break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
      to.kind = from.type == REDIS_REPLY_ERROR ? RedisReply::Kind::error : RedisReply::Kind::text;
      to.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_ARRAY:
      to.kind = RedisReply::Kind::array;
      for (std::size_t i = 0; i < from.elements; ++i) to.items.push_back(copy(*from.element[i]));
      break;
    default:
      break;
  }
  return to;
}

}  // namespace

void RedisConnection::ReaderDeleter::operator()(void* reader) const {
  redisReaderFree(static_cast<redisReader*>(reader));
}

RedisConnection::RedisConnection(Fd socket, std::string endpoint, const RedisOptions& options)
    : socket_(std::move(socket)),
      endpoint_(std::move(endpoint)),
      timeout_(options.timeout),
      cancel_fd_(options.cancel_fd),
      reader_(redisReaderCreate()) {}

Result<RedisConnection> RedisConnection::connect(const RedisAddress& address,
                                                 const RedisOptions& options) {
  Fd socket = RT_TRY(redis::dial(address, kClock.now() + options.timeout, options.cancel_fd));
  RedisConnection connection(std::move(socket), address.text(), options);
  if (connection.reader_ == nullptr) return fail(Code::limit, "cannot connect: out of memory");
  RT_CHECKED(connection.log_in(address, options));
  log::debug("redis connected",
             log::field("server", address.text()) + " " + log::field("as", options.client_name));
  return connection;
}

Result<void> RedisConnection::log_in(const RedisAddress& address, const RedisOptions& options) {
  constexpr std::string_view kAttempt = "cannot connect to Redis";
  if (!address.user.empty()) {
    RT_TRY(command({"AUTH", address.user, address.password}, kAttempt));
  } else if (!address.password.empty()) {
    RT_TRY(command({"AUTH", address.password}, kAttempt));
  }
  if (address.database != 0) {
    RT_TRY(command({"SELECT", std::to_string(address.database)}, kAttempt));
  } else {
    RT_TRY(command({"PING"}, kAttempt));  // says at once if a password is missing
  }
  // Only a name for people: a user without the right to set it may go on.
  RT_CHECKED(send({"CLIENT", "SETNAME", options.client_name}, kAttempt));
  RT_TRY(next(kClock.now() + timeout_, kAttempt));
  return {};
}

Result<RedisReply> RedisConnection::command(const std::vector<std::string_view>& words,
                                            std::string_view attempt) {
  RT_CHECKED(send(words, attempt));
  auto reply = RT_TRY(next(kClock.now() + timeout_, attempt));
  if (!reply) return fail(lost(attempt, "no answer in time"));
  if (reply->kind == RedisReply::Kind::error) {
    return fail(redis_error(attempt, endpoint_, reply->text));
  }
  return std::move(*reply);
}

Result<void> RedisConnection::send(const std::vector<std::string_view>& words,
                                   std::string_view attempt) {
  std::vector<const char*> starts;
  std::vector<std::size_t> sizes;
  for (const std::string_view word : words) {
    starts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* bytes = nullptr;
  const int size =
      redisFormatCommandArgv(&bytes, static_cast<int>(words.size()), starts.data(), sizes.data());
  if (size < 0) return fail(Code::limit, fmt::format("{}: out of memory", attempt));
  const std::unique_ptr<char, void (*)(char*)> owned(bytes, &redisFreeCommand);
  std::string_view rest(bytes, static_cast<std::size_t>(size));
  const Instant deadline = kClock.now() + timeout_;
  while (!rest.empty()) {
    const ssize_t n = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN || errno == EINTR) {
      if (!RT_TRY(wait(POLLOUT, deadline, attempt))) {
        return fail(lost(attempt, "it takes nothing in"));
      }
    } else {
      return fail(lost(attempt, os_error("send", errno).text));
    }
  }
  return {};
}

Result<std::optional<RedisReply>> RedisConnection::next(Instant deadline,
                                                        std::string_view attempt) {
  std::array<char, 64 * 1024> bytes;
  for (;;) {
    auto reply = RT_TRY(take_reply(attempt));
    if (reply) return reply;
    if (!RT_TRY(wait(POLLIN, deadline, attempt))) return std::nullopt;
    const ssize_t n = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (n == 0) return fail(lost(attempt, "the server closed the connection"));
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n < 0) return fail(lost(attempt, os_error("receive", errno).text));
    unread_bytes_ += static_cast<std::size_t>(n);
    if (unread_bytes_ > kReplyBytesMax) {
      return fail(Code::refused, fmt::format("{} on {}: a reply is larger than {} MiB", attempt,
                                             endpoint_, kReplyBytesMax >> 20));
    }
    redisReaderFeed(static_cast<redisReader*>(reader_.get()), bytes.data(),
                    static_cast<std::size_t>(n));
  }
}

Result<std::optional<RedisReply>> RedisConnection::take_reply(std::string_view attempt) {
  auto* reader = static_cast<redisReader*>(reader_.get());
  void* raw = nullptr;
  if (redisReaderGetReply(reader, &raw) != REDIS_OK) {
    return fail(Code::refused, fmt::format("{} on {}: {}", attempt, endpoint_, reader->errstr),
                "is this a Redis server?");
  }
  if (raw == nullptr) return std::nullopt;
  const std::unique_ptr<void, void (*)(void*)> owned(raw, &freeReplyObject);
  unread_bytes_ = reader->len - reader->pos;
  return copy(*static_cast<const redisReply*>(raw));
}

Result<bool> RedisConnection::wait(short events, Instant deadline, std::string_view attempt) {
  auto ready = redis::wait_for(socket_.get(), events, deadline, cancel_fd_);
  if (!ready) return fail(Error(ready.error()).context(attempt));
  return *ready;
}

Error RedisConnection::lost(std::string_view attempt, std::string_view reason) const {
  return Error{Code::unreachable, fmt::format("{} on {}: {}", attempt, endpoint_, reason), {}};
}

Error redis_error(std::string_view attempt, std::string_view endpoint, std::string_view reply) {
  struct Meaning {
    std::string_view word;
    Code code;
    std::string_view hint;
  };
  static constexpr std::array<Meaning, 9> kMeanings{{
      {"NOAUTH", Code::refused, "put user and password into the URL: redis://user:password@host"},
      {"WRONGPASS", Code::refused, "check user and password of the Redis URL"},
      {"NOPERM", Code::refused, "let the user do it: ACL SETUSER"},
      {"DENIED", Code::refused, "set a password, or protected-mode no, on the Redis server"},
      {"MOVED", Code::refused, "name the cluster node that the answer names"},
      {"READONLY", Code::refused, "name the primary: this server is a replica"},
      {"LOADING", Code::unreachable, "the server is starting: try again"},
      {"MASTERDOWN", Code::unreachable, "the replica has lost its primary: try again"},
      {"WRONGTYPE", Code::refused, "the key holds another type: use another key, or remove it"},
  }};
  const std::string_view word = reply.substr(0, reply.find(' '));
  Error error{Code::refused, fmt::format("{} on {}: {}", attempt, endpoint, reply), {}};
  for (const Meaning& meaning : kMeanings) {
    if (word != meaning.word) continue;
    error.code = meaning.code;
    error.hint = meaning.hint;
  }
  std::replace_if(
      error.text.begin(), error.text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return error;
}

std::string redis_library_version() {
  return fmt::format("hiredis/{}.{}.{}", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
}

}  // namespace rt

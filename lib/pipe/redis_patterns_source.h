// Messages published to Redis channels, for a set of patterns that changes while the source runs:
// one connection, whatever their number. Records, in the order of the server:
//   redis  a message (archive::RedisBody without an id), once, however many patterns match
//   mark   a pattern that was asked for is listened to: what is published from here on will come
//   gap    the connection was lost, and is back with every pattern: what was published meanwhile is
//          lost
// Source: redis.io, "Redis Pub/Sub".
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "io/wakeup.h"
#include "pipe/outlet.h"
#include "pipe/reconnector.h"
#include "pipe/source.h"
#include "redis/address.h"

namespace rt {

struct RedisPatternsOptions {
  RedisAddress address;
  ReconnectOptions reconnect;
  std::string client_name = "realtime";
};

class RedisPatternsSource final : public Source {
 public:
  static Result<std::unique_ptr<RedisPatternsSource>> create(RedisPatternsOptions options,
                                                             LinkWatch watch = {});

  // Any thread, at any time; neither waits. A mark answers each listen(), at once if the pattern is
  // listened to already, after the next connect if there is none at present. The caller bounds
  // their number: each PUBLISH costs Redis a look at every pattern.
  void listen(const std::string& pattern);
  void ignore(const std::string& pattern);

  // See RedisSource::run().
  Result<void> run(std::stop_token stop, const Take& take) override;

  // Any thread. up: connected, and every pattern that was asked for before is listened to.
  enum class Link : std::uint8_t { connecting, up, down };
  Link link() const { return link_.load(std::memory_order_relaxed); }
  std::uint64_t events() const { return events_.load(std::memory_order_relaxed); }
  std::uint64_t gaps() const { return gaps_.load(std::memory_order_relaxed); }
  std::uint64_t reconnects() const { return reconnects_.load(std::memory_order_relaxed); }

 private:
  class Session;
  struct Change {
    std::string pattern;
    bool wanted;
  };

  RedisPatternsSource(RedisPatternsOptions options, LinkWatch watch, io::Wakeup changes)
      : options_(std::move(options)), watch_(std::move(watch)), changes_(std::move(changes)) {}
  Result<void> session(Reconnector& link, Outlet& outlet, int cancel_fd);
  std::vector<Change> take_changes();
  std::vector<Change> take_all();

  const RedisPatternsOptions options_;
  const LinkWatch watch_;
  io::Wakeup changes_;  // rung with each
  std::mutex mutex_;
  std::set<std::string> wanted_;
  std::set<std::string> changed_;  // since the reader looked last
  std::atomic<Link> link_{Link::connecting};
  std::atomic<std::uint64_t> events_{0};
  std::atomic<std::uint64_t> gaps_{0};
  std::atomic<std::uint64_t> reconnects_{0};
};

}  // namespace rt

// The four transports of realtime events as one kind of thing: where they live, and what a test
// does to them.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <sstream>
#include <string>

#include "integration/private_postgres.h"
#include "integration/private_redis.h"
#include "pipe/realtime_bus.h"

namespace rt::test {

class RealtimePlace {
 public:
  virtual ~RealtimePlace() = default;
  virtual RealtimeBusOptions options() const = 0;
  virtual std::unique_ptr<RealtimeBus> bus(LinkWatch watch = {}) {
    auto opened = open_realtime_bus(options(), std::move(watch));
    if (!opened) throw std::runtime_error(opened.error().text);
    return std::move(*opened);
  }
  // As a peer that is no instance of ours does it.
  virtual void put(const std::string& payload) = 0;
  // False: there is no server that could go.
  virtual bool kill() { return false; }
  virtual void restart() {}
  // Of instances that listen.
  virtual std::size_t connections() { return 0; }
  virtual bool keeps_past() const { return false; }
};

class MemoryPlace final : public RealtimePlace {
 public:
  RealtimeBusOptions options() const override { return {}; }
  std::unique_ptr<RealtimeBus> bus(LinkWatch) override { return realtime_over_memory(exchange_); }
  void put(const std::string& payload) override {
    (void)realtime_over_memory(exchange_)->publish("", payload);
  }

 private:
  std::shared_ptr<RealtimeExchange> exchange_ = make_realtime_exchange();
};

class RedisPlace final : public RealtimePlace {
 public:
  explicit RedisPlace(std::string transport) : transport_(std::move(transport)) {}
  RealtimeBusOptions options() const override {
    RealtimeBusOptions options;
    options.transport = transport_;
    options.redis_url = redis.url();
    return options;
  }
  void put(const std::string& payload) override {
    if (keeps_past()) {
      redis.command({"XADD", "rt:stream", "*", "data", payload});
    } else {
      redis.command({"PUBLISH", "rt:all", payload});
    }
  }
  bool kill() override {
    redis.kill_9();
    return true;
  }
  void restart() override { redis.start(); }
  std::size_t connections() override {
    std::istringstream list(redis.command({"CLIENT", "LIST"}).text);
    std::size_t found = 0;
    for (std::string line; std::getline(list, line);) {
      if (line.find(" name=rtctl-realtime ") != line.npos) ++found;
    }
    return found;
  }
  bool keeps_past() const override { return transport_ == "redis-stream"; }

  // Every command is on the disk before it is answered.
  PrivateRedis redis{{"--appendonly", "yes", "--appendfsync", "always"}};

 private:
  std::string transport_;
};

class PostgresPlace final : public RealtimePlace {
 public:
  RealtimeBusOptions options() const override {
    RealtimeBusOptions options;
    options.transport = "postgres";
    options.dsn = postgres.dsn();
    return options;
  }
  void put(const std::string& payload) override {
    Connection link = postgres.connect();
    if (!link.query("SELECT pg_notify('realtime_events', $1)", {payload}, "notify")) {
      throw std::runtime_error("cannot notify");
    }
  }
  bool kill() override {
    postgres.kill_9();
    return true;
  }
  void restart() override { postgres.start(); }
  std::size_t connections() override {
    return std::stoul(postgres.value(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rtctl serve realtime'"));
  }

  PrivatePostgres postgres;
};

inline std::unique_ptr<RealtimePlace> realtime_place(const std::string& transport) {
  if (transport == "memory") return std::make_unique<MemoryPlace>();
  if (transport == "postgres") return std::make_unique<PostgresPlace>();
  return std::make_unique<RedisPlace>(transport);
}

}  // namespace rt::test

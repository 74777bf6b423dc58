// `rtctl serve`: the flags of the topics surface, and what carries its messages between instances.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "base/result.h"
#include "pipe/notify_source.h"
#include "server/server.h"

namespace rt::rtctl {

struct TopicsFlags {
  std::string base_path = "/topics";
  std::string publish_token_file;
  std::string listen_token_file;
  std::string notify_bytes_max = "7900B";
  std::string keepalive = "15s";
  std::uint32_t shards = 8;
};

void declare_topics(CLI::App* verb, TopicsFlags& flags);

// Tokens come from files, or from RT_PUBLISH_TOKEN and RT_LISTEN_TOKEN.
Result<server::TopicsHttp> topics_http(const TopicsFlags& flags);

// Sends one message with NOTIFY; tries again twice over a new connection, as ssepg does, so that a
// message may arrive twice. For one thread.
server::TopicPublisher::Send notify_sender(const std::string& dsn, std::uint32_t shards);

// Listens for the messages of all instances while it exists.
class TopicListener {
 public:
  explicit TopicListener(const std::string& dsn);
  bool connected() const { return connected_; }
  void start(server::Server& server);
  void stop();

 private:
  std::atomic<bool> connected_{false};
  NotifySource source_;
  std::jthread thread_;
};

}  // namespace rt::rtctl

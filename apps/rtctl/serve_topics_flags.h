// `rtctl serve`: the flags of the topics surface, and what they mean.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "rtctl/notify_queue_watch.h"
#include "server/topic_table.h"
#include "server/topics_endpoint.h"

namespace rt::rtctl {

struct TopicsFlags {
  std::string base_path = "/topics";
  std::string health_path = "/healthz";
  std::string publish_token_file;
  std::string listen_token_file;
  std::string notify_bytes_max = "7900B";
  std::string keepalive = "15s";
  std::string idle_timeout = "10m";
  std::string queue_poll = "30s";
  double queue_warn = 0.5;
  std::uint32_t shards = 8;
  std::size_t ring = 1024;
  std::size_t client_buffer = 0;
  int alter_system_mb = 0;
};

void declare_topics(CLI::App* verb, TopicsFlags& flags);

// Tokens come from files, or from RT_PUBLISH_TOKEN and RT_LISTEN_TOKEN.
Result<std::string> publish_token(const TopicsFlags& flags);  // of realtime too
Result<server::TopicsHttp> topics_http(const TopicsFlags& flags);
Result<server::TopicTable::Options> topics_table(const TopicsFlags& flags);
Result<NotifyQueueWatch::Options> queue_watch(const TopicsFlags& flags, const std::string& dsn);

}  // namespace rt::rtctl

// What all verbs of `rtctl publish` do, once they have said how: choose a way, open the input, send
// message after message on schedule, wait for them to come back, account.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rtctl/publish_echo.h"
#include "rtctl/publish_flags.h"
#include "rtctl/publish_input.h"
#include "rtctl/publish_sink.h"

namespace rt::rtctl {

// How the messages of one run travel.
struct PublishRoute {
  Shape shape;
  std::unique_ptr<PublishSink> sink;
  EchoSource echo;
};

struct RouteRequest {
  Via via = Via::http;
  int cancel_fd = -1;  // readable when every wait is to end
};

struct PublishVerb {
  std::string_view name;
  std::vector<Via> vias;  // the default first
  bool insert_by_environment = false;
  // Checks what the flags say, and builds the route. Nothing is connected yet.
  std::function<Result<PublishRoute>(const RouteRequest& request)> route;
  // Messages made of flags instead of data; empty: there are none.
  Composer composer;
  // What a message without data is made of, if there may be one: sent when there is neither an
  // argument nor an input (a terminal or /dev/null is none).
  std::optional<std::string> without_data;
};

Result<int> run_publish(const PublishFlags& flags, const PublishVerb& verb);

// The surface of a server, for --await: words as `rtctl subscribe` takes them.
struct EchoWords {
  std::vector<std::string> words;
  std::string url;
  std::string dsn;
  std::string redis;
  bool stream = false;  // a Redis stream
};
// Opens the stream that `rtctl subscribe` would follow; `{id}` as a word stands for a receipt's id.
std::function<Result<std::unique_ptr<EventStream>>(const std::string& id)> echo_stream(
    EchoWords words, const cli::HttpFlags& http);

}  // namespace rt::rtctl

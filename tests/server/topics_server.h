// A server of topics in memory (and of runs, which are always there), on a free port of loopback.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <utility>

#include "server/server.h"
#include "server/topics_board.h"
#include "server/topics_endpoint.h"

namespace rt::test {

inline server::ServerOptions with_topics(server::ServerOptions options = {},
                                         server::TopicsBoard::Options board = {}) {
  options.listen = *io::parse_address("127.0.0.1:0");
  options.accepts_publish = true;
  server::SurfaceParts topics;
  topics.surface = server::Surface::topics;
  topics.endpoint = std::make_shared<server::TopicsEndpoint>(server::TopicsHttp{});
  topics.board = std::make_unique<server::TopicsBoard>(std::move(board));
  options.surfaces.push_back(std::move(topics));
  return options;
}

inline std::unique_ptr<server::Server> start_server(server::ServerOptions options,
                                                    const Clock& clock) {
  auto server = server::Server::start(std::move(options), clock);
  if (!server) FAIL(server.error().text);
  return std::move(*server);
}

}  // namespace rt::test

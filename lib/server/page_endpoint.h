// GET /: the page for people. One file, which fetches nothing from elsewhere and may run nothing
// but its own script. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "io/socket.h"
#include "server/endpoint.h"

namespace rt::server {

struct PageOptions {
  std::string topics_path = "/topics";  // where the topics surface is
};
std::shared_ptr<const Endpoint> page_endpoint(const PageOptions& options);

// Who reaches the page can follow and publish whatever the server's tokens do not guard. So it is
// for this machine, unless it was said otherwise.
Result<void> check_page_address(const io::Address& listen, bool anywhere);

}  // namespace rt::server

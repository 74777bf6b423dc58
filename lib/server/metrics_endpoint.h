// GET /metrics. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "server/endpoint.h"

namespace rt::server {

// text: makes the answer; see metrics_text(). Thread-safe, does not wait.
std::shared_ptr<const Endpoint> metrics_endpoint(std::function<std::string()> text);

}  // namespace rt::server

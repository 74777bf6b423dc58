// POSTs messages to a surface of a server, over one kept connection.
#pragma once

#include <memory>
#include <string>

#include "http/http_options.h"
#include "rtctl/publish_sink.h"

namespace rt::rtctl {

// hint404: what to do when the server has no such surface.
std::unique_ptr<PublishSink> publish_to_http(const std::string& url, const HttpOptions& options,
                                             const std::string& hint404);

}  // namespace rt::rtctl

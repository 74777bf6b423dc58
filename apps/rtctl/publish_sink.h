// What `rtctl publish` sends: the sinks (lib/pipe/publish_to_*) send bytes; what the bytes are, a
// Shape says, which belongs to the verb (publish_<verb>.cc).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/template.h"
#include "pipe/publish_sink.h"
#include "pipe/publish_to_http.h"

namespace rt::rtctl {

// Builds the message from what was given, with the number, time and UUID of this message.
// Code::usage when it cannot be sent there.
using Shape =
    std::function<Result<PublishMessage>(std::string_view data, const TemplateValues& values)>;

// What to do when a server of ours is not there, or has no such surface.
PublishHints server_hints(std::string not_found);

// Appends data as compact JSON; Code::usage if it is none.
Result<void> append_json_data(std::string& out, std::string_view data);

}  // namespace rt::rtctl

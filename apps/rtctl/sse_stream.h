// A server-sent event stream as a source: any URL, and the surfaces of our own server.
#pragma once

#include <memory>
#include <string>

#include "http/sse_client.h"
#include "rtctl/event_stream.h"

namespace rt::rtctl {

std::unique_ptr<EventStream> open_sse_stream(std::string url, SseOptions options);

// Whether a comment says that what follows is new: "caught up" (our server), "listening NAME"
// (ssepg: a stream without a past).
bool ends_past(std::string_view comment);

}  // namespace rt::rtctl

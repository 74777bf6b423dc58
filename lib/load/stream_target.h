// The URL of a stream: where to connect, and what to ask for there.
// A value; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rt {

struct StreamTarget {
  std::string host;
  std::uint16_t port = 80;
  bool tls = false;
  std::string path = "/";  // with its query; {topic} stands for the subscriber's topic
  std::string authority;   // for the Host header

  // "http://host[:port]/path", or https. Code::usage for anything else.
  static Result<StreamTarget> parse(std::string_view url);

  // Appends the path with {topic} replaced, percent-encoded. With `run_filter`, a path that does
  // not mention {topic} gets a filter on that run: ?filter={"run_id":"TOPIC"}.
  void append_path(std::string& out, std::string_view topic, bool run_filter) const;
  // Appends a whole GET request (WHATWG HTML 9.2.3). last_event_id: "" sends none. more: whole
  // header lines.
  void append_request(std::string& out, std::string_view topic, bool run_filter,
                      std::string_view last_event_id, bool gzip = false,
                      std::string_view more = {}) const;
};

}  // namespace rt

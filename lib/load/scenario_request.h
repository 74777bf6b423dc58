// How subscribers ask: the "request" of a scenario's target. A plain value; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace rt {

class ObjectReader;

// A field of the request; its value may name a file and the connection (request_headers.h).
struct HeaderSpec {
  std::string name;
  std::string value;
  std::string where;  // in the scenario, for messages
};

struct RequestSpec {
  bool http2 = false;         // "http": "1.1" | "2"; without TLS by prior knowledge
  std::uint32_t streams = 1;  // subscribers that share one connection, with HTTP/2
  bool gzip = false;          // "compress": ["gzip"]
  std::string authorities;    // "ca": PEM file for https; empty: those of this machine
  bool verify = true;         // "verify": false takes any certificate
  std::vector<HeaderSpec> headers;
};

// From "request" inside `target`, if it is there.
Result<void> read_request(const ObjectReader& target, RequestSpec& out);

}  // namespace rt

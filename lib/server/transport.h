// What a connection has that is more than a plain HTTP/1.1 socket: TLS, or a session of HTTP/2,
// whose streams are connections of their own. One thread.
#pragma once

#include <cstdint>
#include <memory>

#include "io/tls.h"
#include "proto/http2_session.h"

namespace rt::server {

struct Transport {
  std::unique_ptr<io::TlsSession> tls;
  std::unique_ptr<http2::Session::Owner> owner;  // outlives the session
  std::unique_ptr<http2::Session> http2;
  std::uint32_t streams = 0;  // connections that are streams of this session
  bool flush_due = false;     // the session has output, or something to tell
};

}  // namespace rt::server

// What a session keeps of each stream, beside what nghttp2 does. For http2_session alone.
#pragma once

#include <memory>
#include <string>

#include "proto/http2_session.h"

namespace rt::http2 {

struct Session::Stream {
  StreamId id = 0;
  Tag tag = 0;
  bool owned = false;          // the owner was told of it, and has not finished it
  bool opened = false;         // its answer's head is on the way
  bool ending = false;         // after `body`, or now
  bool waits = false;          // on_writable() is due
  bool refused = false;        // what it still sends is ignored
  bool sending_over = false;   // the client has said everything
  std::unique_ptr<Head> head;  // while it is read
  std::string body;            // of a whole answer
  std::size_t body_at = 0;
};

}  // namespace rt::http2

// What a session keeps of each stream, beside what nghttp2 does. For http2_session alone.
#pragma once

#include <memory>
#include <string>

#include "proto/http2_session.h"

namespace rt::http2 {

struct Session::Stream {
  struct Body {
    std::string bytes;
    std::size_t at = 0;  // what is before is in the output
  };

  StreamId id = 0;
  Tag tag = 0;
  std::int64_t window = 0;  // bytes of DATA that the client takes; less than 0 after SETTINGS
  std::uint8_t interim_heads = 0;  // answers 1xx that are to be sent
  bool owned = false;              // the owner was told of it, and has not finished it
  bool opened = false;             // its answer's head is on the way
  bool head_sent = false;          // and in the output
  bool ending = false;             // nothing comes after what is in the output
  bool waits = false;              // to be told when more can be written
  bool refused = false;            // what it still sends is ignored
  bool sending_over = false;       // the client has said everything
  std::unique_ptr<Head> head;      // while it is read
  std::unique_ptr<Body> body;      // of a whole answer, while any of it is left
};

}  // namespace rt::http2

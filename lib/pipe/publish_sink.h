// Where messages are published: one file a sink (publish_to_*), one interface. A sink sends bytes;
// what the bytes are is its user's business.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace rt {

// One message as it goes out.
struct PublishMessage {
  std::string target;  // for people: "POST http://..", "PUBLISH gym:1:a", "NOTIFY orders"
  std::string body;    // its exact bytes
  std::string id;      // that the message carries; empty: none
  std::string key;     // what it is known by when it comes back
  // Over HTTP: sent as Idempotency-Key, so that a repetition can be told; empty: none.
  std::string idempotency_key = {};
  // Over NOTIFY and Redis: the channel or stream, if it is not that of the sink.
  std::string channel = {};
};

struct PublishReceipt {
  std::string id;                         // what the peer calls it; empty: nothing
  std::optional<std::int64_t> receivers;  // who heard it, where the peer says so
};

// One thread.
class PublishSink {
 public:
  virtual ~PublishSink() = default;
  // Reaches for the peer, if that is done ahead of the first message.
  virtual Result<void> connect() { return {}; }
  // Returns when the peer has acknowledged. After Code::unreachable it may be called again: the
  // connection is made anew.
  virtual Result<PublishReceipt> send(const PublishMessage& message) = 0;
};

}  // namespace rt

// Where `rtctl publish` sends messages to: one file a sink (publish_to_*), one interface. A sink
// sends bytes; what the bytes are, a Shape says, which belongs to the verb (publish_<verb>.cc).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/template.h"

namespace rt::rtctl {

// One message as it goes out.
struct PublishMessage {
  std::string target;  // for people: "POST http://..", "PUBLISH gym:1:a", "NOTIFY orders"
  std::string body;    // its exact bytes
  std::string id;      // that the message carries; empty: none
  std::string key;     // what it is known by when it comes back (--await)
};

// Builds the message from what was given, with the number, time and UUID of this message.
// Code::usage when it cannot be sent there.
using Shape =
    std::function<Result<PublishMessage>(std::string_view data, const TemplateValues& values)>;

// Appends data as compact JSON; Code::usage if it is none.
Result<void> append_json_data(std::string& out, std::string_view data);

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

}  // namespace rt::rtctl

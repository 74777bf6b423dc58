// Bodies of requests: of a length that was told, in chunks, or up to the end of an HTTP/2 stream.
#include "base/text.h"
#include "server/shard.h"

namespace rt::server {

// bytes_max: of this request; the server's own limit holds as well.
void Shard::await_body(Slot slot, const http1::RequestHead& head, std::uint64_t bytes_max) {
  Connection& connection = connections_[slot];
  Incoming& incoming = *connection.incoming;
  const std::uint64_t most = std::min(bytes_max, options_.limits.body_bytes_max);
  if (head.content_length.value_or(0) > most) return refuse(slot, 413, kBodyTooLarge);
  incoming.body_bytes = head.content_length.value_or(most);
  incoming.framing = !head.chunked        ? Incoming::Framing::length
                     : head.version >= 20 ? Incoming::Framing::until_end
                                          : Incoming::Framing::chunked;
  incoming.body.clear();
  connection.state = Connection::State::body;
  const std::string_view expectation = head.header("Expect");
  // HTTP/1.0 has no interim answers (RFC 9110 section 10.1.1).
  if (expectation.empty() || head.version == 10) return;
  if (!equal_ignoring_case(expectation, "100-continue")) {
    return refuse(slot, 417, "nothing can be expected but 100-continue\n");
  }
  invite_body(slot);
}

// The client waits to be told that its body is wanted; who is refused is told with the head alone.
void Shard::invite_body(Slot slot) {
  const Connection& connection = connections_[slot];
  if (connection.stream == 0) return write_text(slot, "HTTP/1.1 100 Continue\r\n\r\n");
  session_of(connection).go_ahead(connection.stream);
  flush_later(connection.carrier);
}

// Takes from `bytes` what belongs to the body; what is left is the next request.
void Shard::take_body(Slot slot, std::string_view& bytes) {
  Incoming& incoming = *connections_[slot].incoming;
  switch (incoming.framing) {
    case Incoming::Framing::length: {
      const auto wanted = static_cast<std::size_t>(incoming.body_bytes) - incoming.body.size();
      incoming.body.append(bytes.substr(0, wanted));
      bytes.remove_prefix(std::min(wanted, bytes.size()));
      if (incoming.body.size() == incoming.body_bytes) finish_body(slot);
      return;
    }
    case Incoming::Framing::chunked:
      return take_chunks(slot, bytes);
    case Incoming::Framing::until_end:
      if (!add_to_body(incoming, bytes)) return refuse(slot, 413, kBodyTooLarge);
      bytes = {};
      return;
  }
}

void Shard::take_chunks(Slot slot, std::string_view& bytes) {
  using Status = http1::ChunkedDecoder::Status;
  Incoming& incoming = *connections_[slot].incoming;
  for (;;) {
    std::string_view payload;
    switch (incoming.chunks.next(bytes, payload)) {
      case Status::payload:
        if (!add_to_body(incoming, payload)) return refuse(slot, 413, kBodyTooLarge);
        break;
      case Status::done:
        return finish_body(slot);
      case Status::bad:
        return refuse(slot, 400, "the body is not in chunked coding\n");
      case Status::need_more:
        return;
    }
  }
}

// False: it would be too large.
bool Shard::add_to_body(Incoming& incoming, std::string_view bytes) {
  if (bytes.size() > incoming.body_bytes - incoming.body.size()) return false;
  incoming.body.append(bytes);
  return true;
}

// An HTTP/2 stream has said everything.
void Shard::end_body(Slot slot) {
  const Connection& connection = connections_[slot];
  if (connection.state != Connection::State::body) return;  // it was answered meanwhile
  if (connection.incoming->framing == Incoming::Framing::until_end) finish_body(slot);
}

void Shard::finish_body(Slot slot) {
  if (connections_[slot].incoming->endpoint != nullptr) return on_body(slot);
  finish_publish(slot);
}

}  // namespace rt::server

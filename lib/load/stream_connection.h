// One subscriber: the protocol of an HTTP/1.1 event stream, without the socket's events.
// Sans-IO: bytes that were read go in, what they mean comes out. Between events it holds no heap
// memory, and there are hundreds of thousands of it. One thread (its shard's).
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/fd.h"
#include "proto/chunked.h"
#include "proto/http1_response.h"
#include "proto/sse_parser.h"

namespace rt {

class StreamConnection {
 public:
  enum class Progress : std::uint8_t {
    more,        // all bytes are taken
    ended,       // the body came to its end
    status,      // the answer is not 200
    wrong_type,  // 200, but not text/event-stream
    malformed,   // not HTTP, not chunked coding, or an event beyond the limit
  };

  StreamConnection();

  // A new socket: a response head comes first. The last event id stays.
  void restart();
  // Somebody else takes this place: the last event id is forgotten too.
  void forget();
  // The socket is gone; what was half read is dropped.
  void stop();

  // Takes the bytes of one read. Calls handler.on_open() once the head is accepted, then
  // handler.on_event(const sse::EventView&), on_comment(text) and on_retry(milliseconds).
  template <typename Handler>
  Progress receive(std::string_view bytes, Handler& handler);

  bool is_streaming() const { return streaming_; }
  std::string_view last_event_id() const { return parser_.last_event_id(); }
  int status() const { return status_; }  // of the last response head; 0: none

 private:
  struct Head {
    http1::ResponseParser parser;
  };
  enum class HeadResult : std::uint8_t { need_more, accepted, status, wrong_type, bad };

  HeadResult read_head(std::string_view& bytes);
  template <typename Handler>
  Progress parse(std::string_view payload, Handler& handler) {
    const sse::Received received = parser_.receive(payload, handler);
    return received.status == sse::ReceiveStatus::drained ? Progress::more : Progress::malformed;
  }

  sse::Parser parser_;
  http1::ChunkedDecoder chunked_;
  std::unique_ptr<Head> head_;  // only while a head is read
  std::int16_t status_ = 0;
  bool streaming_ = false;
  bool is_chunked_ = false;
};

static_assert(sizeof(StreamConnection) <= 80, "one for each of 400,000 connections");

template <typename Handler>
StreamConnection::Progress StreamConnection::receive(std::string_view bytes, Handler& handler) {
  if (!streaming_) {
    switch (read_head(bytes)) {
      case HeadResult::need_more:
        return Progress::more;
      case HeadResult::status:
        return Progress::status;
      case HeadResult::wrong_type:
        return Progress::wrong_type;
      case HeadResult::bad:
        return Progress::malformed;
      case HeadResult::accepted:
        handler.on_open();
        break;
    }
  }
  if (!is_chunked_) return parse(bytes, handler);
  for (std::string_view payload;;) {
    switch (chunked_.next(bytes, payload)) {
      case http1::ChunkedDecoder::Status::payload: {
        const Progress progress = parse(payload, handler);
        if (progress != Progress::more) return progress;
        break;
      }
      case http1::ChunkedDecoder::Status::need_more:
        return Progress::more;
      case http1::ChunkedDecoder::Status::done:
        return Progress::ended;
      case http1::ChunkedDecoder::Status::bad:
        return Progress::malformed;
    }
  }
}

}  // namespace rt

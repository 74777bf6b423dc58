// One subscriber: the protocol of an event stream, without the socket's events. HTTP/1.1 goes
// through receive(); over HTTP/2 the session reads the head and tells accept(), then
// receive_body().
// Sans-IO: bytes that were read go in, what they mean comes out. Between events it holds no heap
// memory, and there are hundreds of thousands of it. One thread (its shard's).
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "load/inflater.h"
#include "proto/chunked.h"
#include "proto/http1_response.h"
#include "proto/sse_parser.h"

namespace rt {

enum class ContentCoding : std::uint8_t { identity, gzip, unknown };

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

  // What a response head said. `more` is the only answer with which the stream is open.
  struct Answer {
    int status = 0;
    bool is_event_stream = false;
    ContentCoding coding = ContentCoding::identity;
  };
  Progress accept(const Answer& answer);
  // Bytes of an open stream's body, without a transfer coding.
  template <typename Handler>
  Progress receive_body(std::string_view bytes, Handler& handler);

  bool is_streaming() const { return streaming_; }
  std::string_view last_event_id() const { return parser_.last_event_id(); }
  int status() const { return status_; }  // of the last response head; 0: none

 private:
  // What few connections need, or all of them for a moment.
  struct Extra {
    std::unique_ptr<http1::ResponseParser> head;  // only while a head is read
    std::unique_ptr<Inflater> inflater;           // of a gzip stream
  };

  // True when the head is read; then `progress` says what came of it.
  bool read_head(std::string_view& bytes, Progress& progress);
  template <typename Handler>
  Progress parse(std::string_view payload, Handler& handler) {
    const sse::Received received = parser_.receive(payload, handler);
    return received.status == sse::ReceiveStatus::drained ? Progress::more : Progress::malformed;
  }

  sse::Parser parser_;
  http1::ChunkedDecoder chunked_;
  std::unique_ptr<Extra> extra_;
  std::int16_t status_ = 0;
  bool streaming_ = false;
  bool is_chunked_ = false;
};

static_assert(sizeof(StreamConnection) <= 80, "one for each of 400,000 connections");

template <typename Handler>
StreamConnection::Progress StreamConnection::receive(std::string_view bytes, Handler& handler) {
  if (!streaming_) {
    Progress progress = Progress::more;
    if (!read_head(bytes, progress) || progress != Progress::more) return progress;
    handler.on_open();
  }
  if (!is_chunked_) return receive_body(bytes, handler);
  for (std::string_view payload;;) {
    switch (chunked_.next(bytes, payload)) {
      case http1::ChunkedDecoder::Status::payload: {
        const Progress progress = receive_body(payload, handler);
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

template <typename Handler>
StreamConnection::Progress StreamConnection::receive_body(std::string_view bytes,
                                                          Handler& handler) {
  if (!extra_ || !extra_->inflater) return parse(bytes, handler);
  for (std::string_view plain;;) {
    switch (extra_->inflater->next(bytes, plain)) {
      case Inflater::Status::payload: {
        const Progress progress = parse(plain, handler);
        if (progress != Progress::more) return progress;
        break;
      }
      case Inflater::Status::need_more:
        return Progress::more;
      case Inflater::Status::done:
        return Progress::ended;
      case Inflater::Status::bad:
        return Progress::malformed;
    }
  }
}

}  // namespace rt

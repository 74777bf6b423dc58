// The client's side of one HTTP/2 connection (RFC 9113) that carries event streams, over nghttp2,
// which stays in the .cc. Sans-IO: bytes that were read go in, answers come out; what is to be
// written gathers in one output. Requests have no body. One thread at a time.
//
// DATA frames of streams that go on do not pass through nghttp2, and the windows that they use up
// are widened here (ADR 12).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/http2_session.h"
#include "proto/http2_stream_table.h"

namespace rt::http2 {

class ClientSession {
 public:
  struct Answer {
    int status = 0;
    bool is_event_stream = false;
    bool is_gzip = false;
    bool is_encoded_otherwise = false;
  };

  // Called within receive() only; may call request() and cancel().
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_answer(Tag tag, const Answer& answer) = 0;
    virtual void on_body(Tag tag, std::string_view bytes) = 0;
    // The stream ended, by whichever side but us; error_code of RFC 9113 section 7.
    virtual void on_closed(Tag tag, std::uint32_t error_code) = 0;
  };

  explicit ClientSession(Owner& owner);
  ~ClientSession();
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  using Field = std::pair<std::string_view, std::string_view>;  // lower-case name, value
  // The number of the new stream; nothing if this connection takes no more.
  StreamId request(Tag tag, std::span<const Field> fields);
  // Nothing more is told of it.
  void cancel(StreamId stream);

  // Something is to be told though nothing more may come: call receive({}).
  bool has_news() const { return !closed_.empty(); }
  // Takes all bytes of one read. False: the connection is broken or over.
  bool receive(std::string_view bytes);
  // Gathers what is to be written; see output().
  void pump();
  std::string_view output() const { return output_.unsent(); }
  void sent(std::size_t bytes) { output_.sent(bytes); }

 private:
  struct Callbacks;
  struct Inbound;
  struct Stream {
    StreamId id = 0;
    Tag tag = 0;
    std::uint32_t taken_bytes = 0;  // since its window was widened
    bool is_open_ended = false;     // answered, without a content-length for nghttp2 to check
  };

  void account(const FrameHead& head);

  // What a server may send ahead of our reading: a burst to every stream of a connection.
  static constexpr std::int32_t kConnectionWindow = 16 << 20;
  static constexpr std::int32_t kStreamWindow = 1 << 20;

  Owner& owner_;
  nghttp2_session* session_ = nullptr;
  FrameSplitter inbound_;
  StreamTable<Stream> streams_;    // those that were not cancelled
  std::uint32_t taken_bytes_ = 0;  // of all streams, since the connection's window was widened
  Answer answer_;                  // whose head is being read
  bool has_length_ = false;        // of that
  struct Closed {
    StreamId id = 0;
    Tag tag = 0;
    std::uint32_t error_code = 0;
  };
  std::vector<Closed> closed_;  // to be told
  Output output_;
};

}  // namespace rt::http2

// The server's side of one HTTP/2 connection (RFC 9113) over nghttp2, which stays in the .cc.
// Sans-IO: bytes that were read go in, requests come out; what is to be written gathers in one
// output, so that the frames of a hundred streams leave in one write. One thread at a time.
//
// Frames of DATA that we send, and the windows that bound them (section 6.9), are ours: nghttp2
// would look up and queue each stream of a broadcast several times over. It sends no payload, so
// that the windows it knows stay as they begin; WINDOW_UPDATE frames do not reach it (ADR 12).
//
// The session keeps no bytes of event streams: write() takes what flow control and the output's
// bound allow, like send() on a socket, and the owner keeps the rest until on_writable().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/http2_frame_splitter.h"
#include "proto/http2_head.h"
#include "proto/http2_output.h"
#include "proto/http2_stream_table.h"

struct nghttp2_session;
struct nghttp2_session_callbacks;

namespace rt::http2 {

using Tag = std::uint32_t;  // what the owner knows a stream by

// What a client sends first (RFC 9113 section 3.4). No HTTP/1 request begins like it: the method
// PRI is reserved.
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct Limits {
  http1::RequestLimits request;
  // A browser opens 6 streams, a relay 100; the rest is for requests beside them.
  std::uint32_t streams_max = 256;
  // Unwritten output at which streams are told to wait: a broadcast to all streams, a kilobyte
  // each. Heads and frames without a payload go on: a client that reads nothing and makes us say
  // more than a kilobyte a stream is cut off.
  std::size_t output_bytes_max = 256 * 1024;
  std::size_t output_bytes_end() const {
    return output_bytes_max + std::size_t{1024} * streams_max;
  }
  // Frames of one receive() that ask for work and carry nothing: a client needs a handful.
  std::uint32_t idle_frames_max = 512;
  // RST_STREAM frames: all streams twice at once, then this many a second (CVE-2023-44487).
  std::uint64_t resets_burst = 512;
  std::uint64_t resets_per_second = 32;
};

class Session {
 public:
  // Who takes requests. Called within receive() and settle() only; may call all of a session's
  // methods but these two.
  class Owner {
   public:
    virtual ~Owner() = default;
    // The views in `head` are gone afterwards. Answer now or later; see set_tag().
    virtual void on_request(StreamId stream, const http1::RequestHead& head) = 0;
    // A request that must be refused with this status; it may have a body, which is ignored.
    virtual void on_bad_request(StreamId stream, const http1::Refusal& refusal) = 0;
    virtual void on_body(Tag tag, std::string_view bytes) = 0;
    virtual void on_request_end(Tag tag) = 0;
    // A stream that was not finished by the owner is gone: the client reset it, or broke its rules.
    virtual void on_closed(Tag tag) = 0;
    // After a write() that did not take everything: it would take some now.
    virtual void on_writable(Tag tag) = 0;
  };

  Session(Owner& owner, const Limits& limits = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Takes all bytes of one read. Afterwards look at output() and is_over().
  void receive(std::string_view bytes);
  // After write() and sent(): what waited and can go on is told to the owner.
  void settle();

  // The stream's number serves until another tag is set.
  void set_tag(StreamId stream, Tag tag);
  // Of the streams that the owner has not finished.
  std::vector<Tag> tags() const;

  // 100 Continue: the client that asked before it sends its body may send it.
  void go_ahead(StreamId stream);
  // A whole answer; the stream is finished for the owner. header_lines: each "Name: value" CR LF;
  // those that only HTTP/1 knows (Connection and the like) are left out. A HEAD request's body is
  // told by the lines alone. False: there is no such stream any more.
  bool respond(StreamId stream, int status, std::string_view header_lines, std::string body);
  // The head of an answer whose body comes through write().
  bool open(StreamId stream, int status, std::string_view header_lines);
  // How many of the bytes are in the output now. The rest must come again after on_writable().
  std::size_t write(StreamId stream, std::string_view bytes);
  // After what was written, the stream ends; finished for the owner.
  void end(StreamId stream);
  // Ends it at once (CANCEL); finished for the owner.
  void reset(StreamId stream);

  // New streams are refused from now on, those that stand go on (RFC 9113 section 6.8).
  void go_away();

  // What must be written next, of which sent() takes off the front.
  std::string_view output() const { return output_.unsent(); }
  void sent(std::size_t bytes) { output_.sent(bytes); }
  // Somebody waited for room in the output, and there is some: settle() once it can be written to.
  bool wants_to_go_on() const { return !blocked_.empty() && room() > 0; }
  // Nothing more will be read or answered: close the connection once output() is empty.
  bool is_over() const;
  // It ended because the client broke the protocol or the limits.
  bool is_broken() const { return broken_; }

  std::size_t stream_count() const;

 private:
  struct Stream;
  struct Callbacks;  // from nghttp2
  struct Inbound;    // from the splitter

  static const nghttp2_session_callbacks* callbacks();
  void submit_settings();
  bool submit_head(StreamId id, int status, std::string_view header_lines, bool body);
  Stream* find(StreamId id);
  void make_wait(Stream& stream);
  std::size_t put(Stream& stream, std::string_view bytes);
  std::size_t put_or_wait(Stream& stream, std::string_view bytes);
  void put_body(StreamId id);
  void forget_closed(StreamId id);
  void widen(StreamId id, std::uint32_t increment);
  void follow_settings();
  void end_streams();
  void pump();
  void deliver();
  void tell_writable(StreamId id);
  void fail(std::uint32_t error_code);
  std::size_t room() const;
  // To append to.
  std::string& output_text() {
    std::string& text = output_.text();
    if (text.empty()) text.reserve(kOutputReserve);
    return text;
  }

  // What a broadcast to a hundred streams needs at once; freed as soon as it is written.
  static constexpr std::size_t kOutputReserve = 32 * 1024;
  static constexpr std::int64_t kFirstWindow = 65'535;

  Owner& owner_;
  const Limits limits_;
  nghttp2_session* session_ = nullptr;
  FrameSplitter inbound_{kPreface.size()};
  StreamTable<Stream> streams_;
  Output output_;
  std::vector<StreamId> writable_;                // to be told
  std::vector<StreamId> blocked_;                 // wait for room in the output
  std::vector<StreamId> ends_;                    // nghttp2 is to be told that they end
  std::vector<std::pair<StreamId, Tag>> closed_;  // to be told
  // What the client takes of all streams, and of a new one (section 6.9.2).
  std::int64_t window_ = kFirstWindow;
  std::int64_t stream_window_ = kFirstWindow;
  bool windows_opened_ = false;    // streams that wait may go on
  std::uint32_t increment_ = 0;    // of the WINDOW_UPDATE at hand
  std::uint32_t flow_error_ = 0;   // of this receive()
  std::uint32_t idle_frames_ = 0;  // of this receive()
  bool begun_ = false;             // the first frame was seen
  bool receiving_ = false;
  bool failed_ = false;
  bool broken_ = false;
};

}  // namespace rt::http2

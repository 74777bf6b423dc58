// Frames of DATA from the server, and the windows that say how much of them a client takes (RFC
// 9113 sections 5.2, 6.1 and 6.9).
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "proto/http2_stream.h"

namespace rt::http2 {
namespace {

constexpr std::int64_t kWindowMax = std::numeric_limits<std::int32_t>::max();

std::size_t open_bytes(std::int64_t window) {
  return window > 0 ? static_cast<std::size_t>(window) : 0;
}

}  // namespace

std::size_t Session::write(StreamId id, std::string_view bytes) {
  Stream* stream = find(id);
  if (stream == nullptr || !stream->opened || stream->ending || failed_ || bytes.empty()) return 0;
  if (receiving_) {
    make_wait(*stream);
    return 0;
  }
  if (!stream->head_sent) {
    pump();
    stream = find(id);
    if (stream == nullptr) return 0;
  }
  return put_or_wait(*stream, bytes);
}

std::size_t Session::put_or_wait(Stream& stream, std::string_view bytes) {
  const std::size_t taken = stream.head_sent ? put(stream, bytes) : 0;
  if (taken == bytes.size()) {
    stream.waits = false;
  } else if (room() == 0) {
    make_wait(stream);
  } else {
    stream.waits = true;  // for a window
  }
  return taken;
}

// Told as soon as there is room, which needs no word from the peer.
void Session::make_wait(Stream& stream) {
  if (std::exchange(stream.waits, true)) return;
  blocked_.push_back(stream.id);
}

// As much as the windows and the output take.
std::size_t Session::put(Stream& stream, std::string_view bytes) {
  const std::size_t all =
      std::min({bytes.size(), room(), open_bytes(window_), open_bytes(stream.window)});
  for (std::size_t at = 0; at < all;) {
    std::string& out = output_text();
    const std::size_t size = std::min(all - at, kFrameBytesMax);
    FrameHead{static_cast<std::uint32_t>(size), NGHTTP2_DATA, NGHTTP2_FLAG_NONE, stream.id}
        .append_to(out);
    out.append(bytes, at, size);
    at += size;
  }
  window_ -= static_cast<std::int64_t>(all);
  stream.window -= static_cast<std::int64_t>(all);
  return all;
}

// What is left of a whole answer; then the stream ends.
void Session::put_body(StreamId id) {
  Stream* const stream = find(id);
  if (stream == nullptr || !stream->body || failed_) return;
  if (receiving_) return make_wait(*stream);
  Stream::Body& body = *stream->body;
  body.at += put_or_wait(*stream, std::string_view(body.bytes).substr(body.at));
  if (body.at < body.bytes.size()) return;
  stream->body.reset();
  stream->ending = true;
  ends_.push_back(id);
  pump();
}

// A WINDOW_UPDATE of the client (RFC 9113 section 6.9.1). Its stream may have ended since the frame
// began to come (section 5.1: then it says nothing).
void Session::widen(StreamId id, std::uint32_t increment) {
  Stream* const stream = find(id);
  if (id != 0 && stream == nullptr) return;
  std::int64_t& window = id == 0 ? window_ : stream->window;
  if (increment > 0 && window + increment <= kWindowMax) {
    window += increment;
    windows_opened_ = true;
    return;
  }
  const std::uint32_t error = increment == 0 ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_FLOW_CONTROL_ERROR;
  if (id == 0) {
    flow_error_ = error;
  } else {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, error);
  }
}

// The client's first window of a stream holds for those that are open too (section 6.9.2).
void Session::follow_settings() {
  const std::int64_t now =
      nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
  const std::int64_t change = now - std::exchange(stream_window_, now);
  for (Stream& stream : streams_) {
    stream.window += change;
    if (stream.window > kWindowMax) flow_error_ = NGHTTP2_FLOW_CONTROL_ERROR;
  }
  windows_opened_ = windows_opened_ || change > 0;
}

// nghttp2 sends the frame that ends a stream: empty, but it asks for an open window all the same,
// and knows of none but the first. If that is closed it hears of one byte.
void Session::end_streams() {
  for (const StreamId id : std::exchange(ends_, {})) {
    const std::int64_t known = nghttp2_session_get_stream_remote_window_size(session_, id);
    if (find(id) != nullptr && known <= 0) {
      if (!inbound_.passed_whole()) {  // nothing may stand in the middle of what it reads
        ends_.push_back(id);
        continue;
      }
      std::string update;
      append_window_update(update, id, static_cast<std::uint32_t>(1 - known));
      nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(update.data()),
                               update.size());
    }
    nghttp2_session_resume_data(session_, id);
  }
}

}  // namespace rt::http2

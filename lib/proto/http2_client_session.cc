#include "proto/http2_client_session.h"

#include <nghttp2/nghttp2.h>

#include <array>
#include <memory>

#include "base/result.h"
#include "base/text.h"
#include "proto/http1_head.h"

namespace rt::http2 {
namespace {

std::string_view view(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

nghttp2_nv field(std::string_view name, std::string_view value) {
  // nghttp2 copies both and writes to neither.
  const auto bytes = [](std::string_view text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

struct ClientSession::Callbacks {
  static ClientSession& of(void* session) { return *static_cast<ClientSession*>(session); }

  // Null: a stream that was cancelled.
  static Stream* find(void* self, StreamId id) { return of(self).streams_.find(id); }

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame*, void* self) {
    of(self).answer_ = Answer{};
    of(self).has_length_ = false;
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* self) {
    Answer& answer = of(self).answer_;
    const std::string_view key = view(name, name_size);
    const std::string_view text = view(value, value_size);
    if (key == ":status") answer.status = static_cast<int>(parse_decimal(text).value_or(0));
    if (key == "content-length") of(self).has_length_ = true;
    if (key == "content-type") answer.is_event_stream = http1::is_event_stream(text);
    if (key == "content-encoding" && text != "identity") {
      answer.is_gzip = text == "gzip";
      answer.is_encoded_otherwise = text != "gzip";
    }
    return 0;
  }

  static int on_frame_recv(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    const Answer answer = of(self).answer_;
    Stream* const stream = find(self, frame->hd.stream_id);
    if (answer.status < 200 || stream == nullptr) return 0;
    stream->is_open_ended = !of(self).has_length_;
    of(self).owner_.on_answer(stream->tag, answer);
    return 0;
  }

  static int on_data_chunk(nghttp2_session*, std::uint8_t, StreamId id, const std::uint8_t* bytes,
                           std::size_t size, void* self) {
    const Stream* const stream = find(self, id);
    if (stream != nullptr) of(self).owner_.on_body(stream->tag, view(bytes, size));
    return 0;
  }

  static int on_stream_close(nghttp2_session*, StreamId id, std::uint32_t error_code, void* self) {
    const Stream* const stream = find(self, id);
    if (stream == nullptr) return 0;
    of(self).closed_.push_back({id, stream->tag, error_code});
    of(self).streams_.erase(id);
    return 0;
  }

  static const nghttp2_session_callbacks* table() {
    struct Deleter {
      void operator()(nghttp2_session_callbacks* callbacks) const {
        nghttp2_session_callbacks_del(callbacks);
      }
    };
    static const std::unique_ptr<nghttp2_session_callbacks, Deleter> kTable([] {
      nghttp2_session_callbacks* made = nullptr;
      RT_CHECK(nghttp2_session_callbacks_new(&made) == 0);
      nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
      nghttp2_session_callbacks_set_on_header_callback(made, on_header);
      nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame_recv);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data_chunk);
      nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
      return made;
    }());
    return kTable.get();
  }
};

ClientSession::ClientSession(Owner& owner) : owner_(owner) {
  RT_CHECK(nghttp2_session_client_new(&session_, Callbacks::table(), this) == 0);
  const std::array<nghttp2_settings_entry, 2> settings = {
      {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
       {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, std::uint32_t{kStreamWindow}}}};
  RT_CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) ==
           0);
  RT_CHECK(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                                 kConnectionWindow) == 0);
}

ClientSession::~ClientSession() {
  nghttp2_session_del(session_);
}

StreamId ClientSession::request(Tag tag, std::span<const Field> fields) {
  if (nghttp2_session_check_request_allowed(session_) == 0) return 0;
  std::vector<nghttp2_nv> list;
  for (const auto& [name, value] : fields) list.push_back(field(name, value));
  const StreamId id =
      nghttp2_submit_request(session_, nullptr, list.data(), list.size(), nullptr, nullptr);
  if (id <= 0) return 0;
  streams_.add({id, tag});
  return id;
}

void ClientSession::cancel(StreamId stream) {
  std::erase_if(closed_, [&](const Closed& closed) { return closed.id == stream; });
  streams_.erase(stream);
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
}

// From the splitter: plain DATA of streams that were answered. nghttp2 sees the frame that ends
// one, and all that is odd.
struct ClientSession::Inbound {
  bool takes(const FrameHead& head) {
    if (head.type == NGHTTP2_DATA && head.flags == 0 && !session.inbound_.amid_head() &&
        head.length <= kFrameBytesMax) {
      const Stream* const stream = session.streams_.find(head.stream);
      return stream != nullptr && stream->is_open_ended;
    }
    return false;
  }
  bool on_taken(const FrameHead& head, std::string_view piece, bool last) {
    const Stream* const stream = session.streams_.find(head.stream);
    if (stream != nullptr) session.owner_.on_body(stream->tag, piece);  // may cancel it
    if (last) session.account(head);
    return true;
  }
  bool on_passed(std::string_view bytes) {
    return nghttp2_session_mem_recv(session.session_,
                                    reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                    bytes.size()) >= 0;
  }

  ClientSession& session;
};

// Half a window that was used up is given back.
void ClientSession::account(const FrameHead& head) {
  taken_bytes_ += head.length;
  if (taken_bytes_ >= kConnectionWindow / 2) {
    append_window_update(output_.text(), 0, std::exchange(taken_bytes_, 0));
  }
  Stream* const stream = streams_.find(head.stream);
  if (stream == nullptr) return;
  stream->taken_bytes += head.length;
  if (stream->taken_bytes >= kStreamWindow / 2) {
    append_window_update(output_.text(), head.stream, std::exchange(stream->taken_bytes, 0));
  }
}

bool ClientSession::receive(std::string_view bytes) {
  const bool sound = inbound_.split(bytes, Inbound{*this});
  pump();  // a reset of ours closes streams too
  while (!closed_.empty()) {
    const Closed closed = closed_.back();
    closed_.pop_back();
    owner_.on_closed(closed.tag, closed.error_code);  // may ask again
  }
  pump();
  // Who will not read any more has seen a fault, or the end after the server's goodbye.
  return sound && nghttp2_session_want_read(session_) != 0;
}

// Bounded by what is asked for: requests, resets and acknowledgements of one turn.
void ClientSession::pump() {
  for (;;) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size <= 0) return;
    output_.text().append(view(bytes, static_cast<std::size_t>(size)));
  }
}

}  // namespace rt::http2

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

// A tag as what nghttp2 keeps of a stream, which must not be null.
void* pointer_of(Tag tag) {
  return reinterpret_cast<void*>(std::uintptr_t{tag} + 1);
}

}  // namespace

struct ClientSession::Callbacks {
  static ClientSession& of(void* session) { return *static_cast<ClientSession*>(session); }

  // False: a stream that was cancelled.
  static bool find(nghttp2_session* session, StreamId id, Tag& tag) {
    const void* const kept = nghttp2_session_get_stream_user_data(session, id);
    tag = static_cast<Tag>(reinterpret_cast<std::uintptr_t>(kept) - 1);
    return kept != nullptr;
  }

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame*, void* self) {
    of(self).answer_ = Answer{};
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* self) {
    Answer& answer = of(self).answer_;
    const std::string_view key = view(name, name_size);
    const std::string_view text = view(value, value_size);
    if (key == ":status") answer.status = static_cast<int>(parse_decimal(text).value_or(0));
    if (key == "content-type") answer.is_event_stream = http1::is_event_stream(text);
    if (key == "content-encoding" && text != "identity") {
      answer.is_gzip = text == "gzip";
      answer.is_encoded_otherwise = text != "gzip";
    }
    return 0;
  }

  static int on_frame_recv(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    const Answer answer = of(self).answer_;
    Tag tag = 0;
    if (answer.status < 200 || !find(session, frame->hd.stream_id, tag)) return 0;
    of(self).owner_.on_answer(tag, answer);
    return 0;
  }

  static int on_data_chunk(nghttp2_session* session, std::uint8_t, StreamId id,
                           const std::uint8_t* bytes, std::size_t size, void* self) {
    Tag tag = 0;
    if (find(session, id, tag)) of(self).owner_.on_body(tag, view(bytes, size));
    return 0;
  }

  static int on_stream_close(nghttp2_session* session, StreamId id, std::uint32_t error_code,
                             void* self) {
    Tag tag = 0;
    if (find(session, id, tag)) of(self).closed_.emplace_back(tag, error_code);
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
      {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow}}};
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
      nghttp2_submit_request(session_, nullptr, list.data(), list.size(), nullptr, pointer_of(tag));
  return id > 0 ? id : 0;
}

void ClientSession::cancel(StreamId stream) {
  nghttp2_session_set_stream_user_data(session_, stream, nullptr);
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
}

bool ClientSession::receive(std::string_view bytes) {
  const ssize_t taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  // on_closed() may ask again, which closes nothing.
  for (const auto& [tag, error_code] : std::exchange(closed_, {})) {
    owner_.on_closed(tag, error_code);
  }
  pump();
  // Who will not read any more has seen a fault, or the end after the server's goodbye.
  return taken >= 0 && nghttp2_session_want_read(session_) != 0;
}

// Bounded by what is asked for: requests, resets and acknowledgements of one turn.
void ClientSession::pump() {
  for (;;) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size <= 0) return;
    output_.append(view(bytes, static_cast<std::size_t>(size)));
  }
}

void ClientSession::sent(std::size_t bytes) {
  output_at_ += bytes;
  if (output_at_ < output_.size()) return;
  output_at_ = 0;
  std::string().swap(output_);  // a session at rest holds no buffer
}

}  // namespace rt::http2

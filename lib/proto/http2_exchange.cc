// Requests and answers: what nghttp2 tells a session, and the heads that a session hands to it.
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>

#include "base/result.h"
#include "base/text.h"
#include "proto/http2_stream.h"

namespace rt::http2 {
namespace {

std::string_view view(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

bool is_request(const nghttp2_frame& frame) {
  return frame.hd.type == NGHTTP2_HEADERS && frame.headers.cat == NGHTTP2_HCAT_REQUEST;
}

bool ends_stream(const nghttp2_frame& frame) {
  return (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

// Fields that belong to one HTTP/1 connection (RFC 9113 section 8.2.2).
bool is_of_http1(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {
      "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

nghttp2_nv field(std::string_view name, std::string_view value) {
  // nghttp2 copies both and writes to neither.
  const auto bytes = [](std::string_view text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

struct Session::Callbacks {
  static Session& of(void* session) { return *static_cast<Session*>(session); }
  static Stream* stream_of(void* session, StreamId id) { return of(session).find(id); }
  static nghttp2_session_callbacks* make();

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame*, void* self);
  static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t flags, void* self);
  static int on_invalid_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                               std::size_t name_size, const std::uint8_t* value,
                               std::size_t value_size, std::uint8_t flags, void* self);
  static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd*, void* self);
  static int on_frame_recv(nghttp2_session*, const nghttp2_frame*, void* self);
  static int on_data_chunk(nghttp2_session*, std::uint8_t flags, StreamId id,
                           const std::uint8_t* bytes, std::size_t size, void* self);
  static int on_stream_close(nghttp2_session*, StreamId id, std::uint32_t error_code, void* self);
  static int on_frame_send(nghttp2_session*, const nghttp2_frame*, void* self);
  static ssize_t on_read(nghttp2_session*, StreamId id, std::uint8_t*, std::size_t size_max,
                         std::uint32_t* flags, nghttp2_data_source*, void* self);
};

const nghttp2_session_callbacks* Session::callbacks() {
  struct Deleter {
    void operator()(nghttp2_session_callbacks* callbacks) const {
      nghttp2_session_callbacks_del(callbacks);
    }
  };
  static const std::unique_ptr<nghttp2_session_callbacks, Deleter> kTable(Callbacks::make());
  return kTable.get();
}

nghttp2_session_callbacks* Session::Callbacks::make() {
  nghttp2_session_callbacks* table = nullptr;
  RT_CHECK(nghttp2_session_callbacks_new(&table) == 0);
  nghttp2_session_callbacks_set_on_begin_headers_callback(table, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(table, on_header);
  nghttp2_session_callbacks_set_on_invalid_header_callback(table, on_invalid_header);
  nghttp2_session_callbacks_set_on_begin_frame_callback(table, on_begin_frame);
  nghttp2_session_callbacks_set_on_frame_recv_callback(table, on_frame_recv);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table, on_data_chunk);
  nghttp2_session_callbacks_set_on_stream_close_callback(table, on_stream_close);
  nghttp2_session_callbacks_set_on_frame_send_callback(table, on_frame_send);
  return table;
}

int Session::Callbacks::on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* self) {
  if (!is_request(*frame)) return 0;  // trailers
  Stream stream;
  stream.id = frame->hd.stream_id;
  stream.tag = static_cast<Tag>(stream.id);
  stream.window = of(self).stream_window_;
  stream.head = std::make_unique<Head>(of(self).limits_.request);
  of(self).streams_.add(std::move(stream));
  return 0;
}

int Session::Callbacks::on_header(nghttp2_session*, const nghttp2_frame* frame,
                                  const std::uint8_t* name, std::size_t name_size,
                                  const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                                  void* self) {
  if (!is_request(*frame)) return 0;  // trailers mean nothing here
  Stream* const stream = stream_of(self, frame->hd.stream_id);
  if (stream == nullptr || !stream->head) return 0;
  const bool bearable = stream->head->add(view(name, name_size), view(value, value_size));
  return bearable ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

// Left to itself nghttp2 would pass over the field: another server on the way might not.
int Session::Callbacks::on_invalid_header(nghttp2_session*, const nghttp2_frame*,
                                          const std::uint8_t*, std::size_t, const std::uint8_t*,
                                          std::size_t, std::uint8_t, void*) {
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // resets the stream
}

// Frames that cost more than they say: floods of them are how HTTP/2 servers are worn out
// (CVE-2019-9512 to 9518).
int Session::Callbacks::on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* self) {
  const bool useful = head->type == NGHTTP2_HEADERS || head->type == NGHTTP2_WINDOW_UPDATE ||
                      head->type == NGHTTP2_RST_STREAM ||
                      (head->type == NGHTTP2_DATA && head->length > 0);
  if (useful) return 0;
  return ++of(self).idle_frames_ > of(self).limits_.idle_frames_max ? NGHTTP2_ERR_CALLBACK_FAILURE
                                                                    : 0;
}

int Session::Callbacks::on_frame_recv(nghttp2_session*, const nghttp2_frame* frame, void* self) {
  if (frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
    of(self).follow_settings();
    return of(self).flow_error_ == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  Stream* const stream = stream_of(self, frame->hd.stream_id);
  if (stream == nullptr) return 0;
  Owner& owner = of(self).owner_;
  if (ends_stream(*frame)) stream->sending_over = true;
  if (is_request(*frame) && stream->head) {
    const std::unique_ptr<Head> head = std::move(stream->head);
    const http1::Refusal refusal = head->finish(!ends_stream(*frame));
    stream->owned = true;
    stream->refused = refusal.status != 0;
    if (stream->refused) {
      owner.on_bad_request(stream->id, refusal);
      return 0;
    }
    owner.on_request(stream->id, head->head());
  }
  if (ends_stream(*frame) && stream->owned && !stream->refused) owner.on_request_end(stream->tag);
  return 0;
}

int Session::Callbacks::on_data_chunk(nghttp2_session*, std::uint8_t, StreamId id,
                                      const std::uint8_t* bytes, std::size_t size, void* self) {
  const Stream* const stream = stream_of(self, id);
  if (stream == nullptr || !stream->owned || stream->refused) return 0;
  of(self).owner_.on_body(stream->tag, view(bytes, size));
  return 0;
}

int Session::Callbacks::on_stream_close(nghttp2_session*, StreamId id, std::uint32_t, void* self) {
  Session& me = of(self);
  const Stream* const stream = stream_of(self, id);
  if (stream == nullptr) return 0;
  if (stream->owned) me.closed_.emplace_back(id, stream->tag);
  me.streams_.erase(id);
  return 0;
}

int Session::Callbacks::on_frame_send(nghttp2_session* session, const nghttp2_frame* frame,
                                      void* self) {
  if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
    of(self).broken_ = true;
  }
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  Stream* const stream = stream_of(self, frame->hd.stream_id);
  if (stream == nullptr) return 0;
  if (frame->hd.type == NGHTTP2_HEADERS) {
    const bool interim = stream->interim_heads > 0;
    interim ? --stream->interim_heads : stream->head_sent = true;
  }
  // The whole answer is out while the request's body still comes: asks for no more of it (RFC 9113
  // section 8.1).
  if (ends_stream(*frame) && !stream->sending_over) {
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
  }
  return 0;
}

// nghttp2 sends no payload, only the empty frame that ends a stream.
ssize_t Session::Callbacks::on_read(nghttp2_session*, StreamId id, std::uint8_t*, std::size_t,
                                    std::uint32_t* flags, nghttp2_data_source*, void* self) {
  const Stream* const stream = stream_of(self, id);
  if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  if (!stream->ending) return NGHTTP2_ERR_DEFERRED;
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  return 0;
}

void Session::go_ahead(StreamId id) {
  Stream* const stream = find(id);
  if (stream == nullptr || !stream->owned || stream->opened) return;
  const nghttp2_nv status = field(":status", "100");
  if (nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr, &status, 1, nullptr) == 0) {
    ++stream->interim_heads;
  }
  if (!receiving_) pump();
}

bool Session::submit_head(StreamId id, int status, std::string_view header_lines, bool body) {
  std::string status_text;
  append_decimal(status_text, static_cast<std::uint64_t>(status));
  std::string names;  // lower-cased: must not move while fields point into it
  names.reserve(header_lines.size());
  std::vector<nghttp2_nv> fields = {field(":status", status_text)};
  while (!header_lines.empty()) {
    const std::string_view line = header_lines.substr(0, header_lines.find("\r\n"));
    header_lines.remove_prefix(std::min(line.size() + 2, header_lines.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::size_t begin = names.size();
    for (const char c : line.substr(0, colon)) {
      names += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    }
    const std::string_view name = std::string_view(names).substr(begin);
    if (!is_of_http1(name)) fields.push_back(field(name, trim(line.substr(colon + 1))));
  }
  nghttp2_data_provider provider{};
  provider.read_callback = Callbacks::on_read;
  const int outcome = nghttp2_submit_response(session_, id, fields.data(), fields.size(),
                                              body ? &provider : nullptr);
  if (!receiving_) pump();
  return outcome == 0;
}

}  // namespace rt::http2

// nghttp2's own client side, so that the server's is held against another reading of the protocol.
// Sans-IO: bytes in, bytes out.
#pragma once

#include <nghttp2/nghttp2.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rt::test {

struct Http2ClientOptions {
  std::uint32_t window = 65535;  // of each stream, for what the server sends
  bool checks = true;            // false: sends what a client must not
  bool reads = true;             // false: gives no window back
  // Of the whole connection.
  std::int32_t connection_window = 1 << 24;
};

class Http2Client {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  struct Answer {
    int status = 0;
    std::map<std::string, std::string> headers;
    std::string body;
    bool invited = false;  // 100 Continue came
    bool closed = false;
    std::uint32_t error_code = 0;
  };
  explicit Http2Client(const Http2ClientOptions& options = {}) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_http_messaging(option, options.checks ? 0 : 1);
    nghttp2_option_set_no_auto_window_update(option, options.reads ? 0 : 1);
    nghttp2_option_set_peer_max_concurrent_streams(option, 100'000);
    nghttp2_session_client_new2(&session_, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.window}, {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, 2);
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                          options.connection_window);
  }
  ~Http2Client() { nghttp2_session_del(session_); }
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;

  static Fields head(std::string method, std::string path) {
    return {{":method", std::move(method)},
            {":scheme", "http"},
            {":authority", "test"},
            {":path", std::move(path)}};
  }

  // The body is sent as flow control allows; an empty one ends with the head.
  std::int32_t request(const Fields& fields, std::string body = {}) {
    std::vector<nghttp2_nv> nv;
    for (const auto& [name, value] : fields) {
      nv.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    nghttp2_data_provider provider{};
    provider.read_callback = on_read;
    const bool has_body = !body.empty();
    const std::int32_t id = nghttp2_submit_request(session_, nullptr, nv.data(), nv.size(),
                                                   has_body ? &provider : nullptr, nullptr);
    if (has_body) bodies_[id] = std::move(body);
    return id;
  }
  std::int32_t get(const std::string& path) { return request(head("GET", path)); }
  void cancel(std::int32_t id) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
  }
  void open_window(std::int32_t id, std::int32_t more) {
    nghttp2_submit_window_update(session_, NGHTTP2_FLAG_NONE, id, more);
  }
  void ping() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }

  std::string take_output() {
    std::string out;
    const std::uint8_t* data = nullptr;
    for (ssize_t n; (n = nghttp2_session_mem_send(session_, &data)) > 0;) {
      out.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(n));
    }
    return out;
  }
  // False: the server broke the protocol.
  bool receive(std::string_view in) {
    return nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(in.data()),
                                    in.size()) == static_cast<ssize_t>(in.size());
  }

  Answer& answer(std::int32_t id) { return answers_[id]; }
  // What the server has said that it takes at once.
  std::uint32_t streams_max() const {
    return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  }
  bool went_away() const { return went_away_; }
  std::uint32_t goaway_code() const { return goaway_code_; }
  std::int32_t goaway_last_stream() const { return goaway_last_; }

 private:
  static Http2Client& of(void* self) { return *static_cast<Http2Client*>(self); }
  static std::uint8_t* bytes(const std::string& text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  }
  static std::string text(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
  }
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* self) {
    Answer& answer = of(self).answers_[frame->hd.stream_id];
    const std::string key = text(name, name_size);
    if (key == ":status") answer.status = std::stoi(text(value, value_size));
    if (answer.status == 100) answer.invited = true;
    answer.headers[key] = text(value, value_size);
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t size, void* self) {
    of(self).answers_[id].body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t code, void* self) {
    of(self).answers_[id].closed = true;
    of(self).answers_[id].error_code = code;
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type != NGHTTP2_GOAWAY) return 0;
    of(self).went_away_ = true;
    of(self).goaway_code_ = frame->goaway.error_code;
    of(self).goaway_last_ = frame->goaway.last_stream_id;
    return 0;
  }
  static ssize_t on_read(nghttp2_session*, std::int32_t id, std::uint8_t* out, std::size_t size_max,
                         std::uint32_t* flags, nghttp2_data_source*, void* self) {
    std::string& body = of(self).bodies_[id];
    const std::size_t taken = body.copy(reinterpret_cast<char*>(out), size_max);
    body.erase(0, taken);
    if (body.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(taken);
  }

  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, Answer> answers_;
  std::map<std::int32_t, std::string> bodies_;
  bool went_away_ = false;
  std::uint32_t goaway_code_ = 0;
  std::int32_t goaway_last_ = 0;
};

}  // namespace rt::test

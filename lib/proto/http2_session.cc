#include "proto/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/result.h"
#include "proto/http2_stream.h"

namespace rt::http2 {
namespace {

// SETTINGS and PING acknowledgements of one receive().
constexpr std::size_t kOutboundAcksMax = 256;
// SETTINGS entries of one frame; six are defined.
constexpr std::size_t kSettingsMax = 32;
// CONTINUATION frames of one head: 8 frames of 16 KiB are far beyond what a head may have.
constexpr std::size_t kContinuationsMax = 8;

struct OptionDeleter {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};

std::unique_ptr<nghttp2_option, OptionDeleter> make_option(const Limits& limits) {
  nghttp2_option* raw = nullptr;
  RT_CHECK(nghttp2_option_new(&raw) == 0);
  std::unique_ptr<nghttp2_option, OptionDeleter> option(raw);
  nghttp2_option_set_max_outbound_ack(raw, kOutboundAcksMax);
  nghttp2_option_set_max_settings(raw, kSettingsMax);
  nghttp2_option_set_max_continuations(raw, kContinuationsMax);
  nghttp2_option_set_stream_reset_rate_limit(raw, limits.resets_burst, limits.resets_per_second);
  return option;
}

}  // namespace

Session::Session(Owner& owner, const Limits& limits) : owner_(owner), limits_(limits) {
  const auto option = make_option(limits);
  const int status = nghttp2_session_server_new2(&session_, callbacks(), this, option.get());
  RT_CHECK(status == 0);
  submit_settings();
  pump();
}

Session::~Session() {
  nghttp2_session_del(session_);
}

void Session::submit_settings() {
  const std::array<nghttp2_settings_entry, 3> entries = {
      {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.streams_max},
       {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
        static_cast<std::uint32_t>(limits_.request.head_bytes_max)},
       // No tree of priorities: events go out in the order in which they come.
       {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}}};
  RT_CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, entries.data(), entries.size()) ==
           0);
}

// From the splitter: WINDOW_UPDATE frames of what is open are ours. Whatever is wrong passes, so
// that nghttp2 says what is wrong with it.
struct Session::Inbound {
  bool takes(const FrameHead& head) {
    const bool first = !std::exchange(session.begun_, true);
    session.increment_ = 0;
    return head.type == NGHTTP2_WINDOW_UPDATE && head.length == 4 && !first &&
           !session.inbound_.amid_head() &&
           (head.stream == 0 || session.find(head.stream) != nullptr);
  }
  bool on_taken(const FrameHead& head, std::string_view piece, bool last) {
    for (const char c : piece) {
      session.increment_ = session.increment_ << 8 | static_cast<std::uint8_t>(c);
    }
    if (last) session.widen(head.stream, session.increment_ & 0x7FFFFFFF);
    return session.flow_error_ == 0;
  }
  bool on_passed(std::string_view bytes) {
    taken = nghttp2_session_mem_recv(
        session.session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    return taken >= 0;
  }

  Session& session;
  ssize_t taken = 0;
};

void Session::receive(std::string_view bytes) {
  if (failed_) return;
  receiving_ = true;
  idle_frames_ = 0;
  flow_error_ = 0;
  Inbound inbound{*this};
  inbound_.split(bytes, inbound);
  receiving_ = false;
  if (flow_error_ != 0) {
    fail(flow_error_);
  } else if (inbound.taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC) {
    fail(NGHTTP2_PROTOCOL_ERROR);
  } else if (inbound.taken < 0) {
    fail(NGHTTP2_ENHANCE_YOUR_CALM);
  }
  settle();
}

void Session::settle() {
  pump();
  deliver();
  if (is_over()) failed_ = true;  // nghttp2 has said goodbye: nothing goes behind that
}

void Session::fail(std::uint32_t error_code) {
  broken_ = broken_ || error_code != NGHTTP2_NO_ERROR;
  nghttp2_session_terminate_session(session_, error_code);
  pump();
  failed_ = true;
}

void Session::go_away() {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
  if (!receiving_) pump();
}

bool Session::is_over() const {
  return failed_ ||
         (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0);
}

Session::Stream* Session::find(StreamId id) {
  return streams_.find(id);
}

std::size_t Session::stream_count() const {
  return streams_.size();
}

void Session::set_tag(StreamId id, Tag tag) {
  if (Stream* const stream = find(id)) stream->tag = tag;
}

std::vector<Tag> Session::tags() const {
  std::vector<Tag> tags;
  for (const Stream& stream : streams_) {
    if (stream.owned) tags.push_back(stream.tag);
  }
  for (const auto& [id, tag] : closed_) tags.push_back(tag);
  return tags;
}

// Who finishes a stream need not be told any more that it is gone.
void Session::forget_closed(StreamId id) {
  std::erase_if(closed_, [&](const auto& closed) { return closed.first == id; });
}

bool Session::respond(StreamId id, int status, std::string_view header_lines, std::string body) {
  forget_closed(id);
  Stream* const stream = find(id);
  if (stream == nullptr || !stream->owned || stream->opened) return false;
  const bool has_body = !body.empty();
  stream->owned = false;
  stream->opened = true;
  if (has_body) {
    stream->body = std::make_unique<Stream::Body>(Stream::Body{std::move(body)});
  } else {
    stream->ending = true;
  }
  const bool submitted = submit_head(id, status, header_lines, has_body);
  if (has_body) put_body(id);
  return submitted;
}

bool Session::open(StreamId id, int status, std::string_view header_lines) {
  Stream* const stream = find(id);
  if (stream == nullptr || !stream->owned || stream->opened) return false;
  stream->opened = true;
  return submit_head(id, status, header_lines, true);
}

void Session::end(StreamId id) {
  forget_closed(id);
  Stream* const stream = find(id);
  if (stream == nullptr || !stream->owned) return;
  if (!stream->opened) return reset(id);
  stream->owned = false;
  stream->ending = true;
  ends_.push_back(id);
  if (!receiving_) pump();
}

void Session::reset(StreamId id) {
  forget_closed(id);
  Stream* const stream = find(id);
  if (stream == nullptr) return;
  stream->owned = false;
  stream->ending = true;
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
  if (!receiving_) pump();
}

std::size_t Session::room() const {
  const std::size_t used = output().size();
  return used < limits_.output_bytes_max ? limits_.output_bytes_max - used : 0;
}

// All that nghttp2 has queued goes into the output, so that its queues hold nothing, a goodbye is
// said at once, and the frames of one head stand together.
void Session::pump() {
  end_streams();
  while (!failed_) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size < 0) failed_ = true;
    if (size <= 0) return;
    output_text().append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    if (output().size() > limits_.output_bytes_end()) failed_ = broken_ = true;
  }
}

void Session::deliver() {
  // on_closed() and on_writable() may change these.
  while (!closed_.empty()) {
    const Tag tag = closed_.back().second;
    closed_.pop_back();
    owner_.on_closed(tag);
  }
  if (room() > 0) {
    writable_.insert(writable_.end(), blocked_.begin(), blocked_.end());
    blocked_.clear();
  }
  if (std::exchange(windows_opened_, false) && window_ > 0) {
    for (const Stream& stream : streams_) {
      if (stream.waits && stream.window > 0) writable_.push_back(stream.id);
    }
  }
  // It may make others writable, each by sending something: this ends.
  while (!writable_.empty()) {
    for (const StreamId id : std::exchange(writable_, {})) tell_writable(id);
  }
}

void Session::tell_writable(StreamId id) {
  Stream* const stream = find(id);
  if (stream == nullptr || !std::exchange(stream->waits, false)) return;
  if (stream->body) return put_body(id);
  if (stream->owned) owner_.on_writable(stream->tag);
}

}  // namespace rt::http2

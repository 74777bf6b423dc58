#include "proto/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/result.h"
#include "proto/http2_stream.h"

namespace rt::http2 {
namespace {

// Unsent SETTINGS and PING acknowledgements; they wait only while the output is full.
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

void Session::receive(std::string_view bytes) {
  if (failed_) return;
  receiving_ = true;
  idle_frames_ = 0;
  const ssize_t taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  receiving_ = false;
  if (taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC) {
    fail(NGHTTP2_PROTOCOL_ERROR);
  } else if (taken < 0) {
    fail(NGHTTP2_ENHANCE_YOUR_CALM);
  }
  settle();
}

void Session::settle() {
  pump();
  deliver();
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

void Session::terminate() {
  closed_.clear();
  for (auto& [id, stream] : streams_) stream->owned = false;
  fail(NGHTTP2_NO_ERROR);
}

bool Session::is_over() const {
  return failed_ ||
         (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0);
}

Session::Stream* Session::find(StreamId id) {
  return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session_, id));
}

// Nearly always the one that is being written to, for which nghttp2's table needs no look.
Session::Stream* Session::in_turn(StreamId id) {
  return writing_ != nullptr && writing_->id == id ? writing_ : find(id);
}

void Session::set_tag(StreamId id, Tag tag) {
  if (Stream* const stream = find(id)) stream->tag = tag;
}

std::vector<Tag> Session::tags() const {
  std::vector<Tag> tags;
  for (const auto& [id, stream] : streams_) {
    if (stream->owned) tags.push_back(stream->tag);
  }
  return tags;
}

bool Session::respond(StreamId id, int status, std::string_view header_lines, std::string body) {
  Stream* const stream = find(id);
  if (stream == nullptr || !stream->owned || stream->opened) return false;
  const bool has_body = !body.empty();
  stream->owned = false;
  stream->opened = true;
  stream->ending = true;
  stream->body = std::move(body);
  return submit_head(id, status, header_lines, has_body);
}

bool Session::open(StreamId id, int status, std::string_view header_lines) {
  Stream* const stream = find(id);
  if (stream == nullptr || !stream->owned || stream->opened) return false;
  stream->opened = true;
  return submit_head(id, status, header_lines, true);
}

std::size_t Session::write(StreamId id, std::string_view bytes) {
  Stream* const stream = find(id);
  if (stream == nullptr || !stream->opened || stream->ending || failed_) return 0;
  if (bytes.empty()) return 0;
  if (receiving_ || room() == 0) {
    make_wait(*stream);
    return 0;
  }
  writing_ = stream;
  const std::string_view beyond = bytes.substr(std::min(bytes.size(), room()));
  at_hand_ = bytes.substr(0, bytes.size() - beyond.size());
  nghttp2_session_resume_data(session_, id);  // no error if it was not deferred: it is in line
  pump();
  writing_ = nullptr;
  const std::size_t left = std::exchange(at_hand_, {}).size() + beyond.size();
  stream->waits = false;
  if (left > 0 && room() == 0) {
    make_wait(*stream);
  } else {
    stream->waits = left > 0;  // nghttp2 asks for its bytes once a window opens
  }
  return bytes.size() - left;
}

// Told as soon as there is room, which needs no word from the peer.
void Session::make_wait(Stream& stream) {
  if (stream.waits) return;
  stream.waits = true;
  blocked_.push_back(stream.id);
}

void Session::end(StreamId id) {
  Stream* const stream = find(id);
  if (stream == nullptr || !stream->owned) return;
  if (!stream->opened) return reset(id);
  stream->owned = false;
  stream->ending = true;
  nghttp2_session_resume_data(session_, id);
  if (!receiving_) pump();
}

void Session::reset(StreamId id) {
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

// From nghttp2's queues into the output, as far as that may grow: what a peer that reads nothing
// makes us say (acknowledgements) stays bounded by kOutboundAcksMax.
void Session::pump() {
  while (!failed_ && room() > 0) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size < 0) failed_ = true;
    if (size <= 0) return;
    if (output_.empty()) reserve_output();
    output_.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }
}

void Session::deliver() {
  // on_closed() and on_writable() may add to these.
  for (std::size_t i = 0; i < closed_.size(); ++i) owner_.on_closed(closed_[i]);
  closed_.clear();
  if (room() > 0) {
    writable_.insert(writable_.end(), blocked_.begin(), blocked_.end());
    blocked_.clear();
  }
  // It may make others writable, each by sending something: this ends.
  while (!writable_.empty()) {
    for (const StreamId id : std::exchange(writable_, {})) {
      Stream* const stream = find(id);
      if (stream == nullptr || !stream->owned || !stream->waits) continue;
      stream->waits = false;
      owner_.on_writable(stream->tag);
    }
  }
}

void Session::sent(std::size_t bytes) {
  output_at_ += bytes;
  if (output_at_ < output_.size()) return;
  output_at_ = 0;
  std::string().swap(output_);  // a session at rest holds no buffer
}

}  // namespace rt::http2

#include "load/stream_connection.h"

namespace rt {
namespace {

// A published event is the payload and a row around it; 4 MiB is far beyond any scenario, and one
// broken stream cannot take the memory of the others.
constexpr std::uint32_t kEventBytesMax = 4u << 20;

constexpr sse::ParserOptions kParserOptions{
    .event_bytes_max = kEventBytesMax, .repair_utf8 = false, .keep_buffer = false};

}  // namespace

StreamConnection::StreamConnection() : parser_(kParserOptions) {}

void StreamConnection::forget() {
  parser_ = sse::Parser(kParserOptions);
}

void StreamConnection::restart() {
  parser_.reconnected();
  chunked_.reset();
  head_.reset();
  status_ = 0;
  streaming_ = false;
  is_chunked_ = false;
}

void StreamConnection::stop() {
  parser_.finish();
  head_.reset();
  streaming_ = false;
}

StreamConnection::HeadResult StreamConnection::read_head(std::string_view& bytes) {
  // The parser lives only while a head is read.
  if (!head_) head_ = std::make_unique<Head>();
  switch (head_->parser.receive(bytes)) {
    case http1::HeadStatus::need_more:
      return HeadResult::need_more;
    case http1::HeadStatus::bad:
      head_.reset();
      return HeadResult::bad;
    case http1::HeadStatus::complete:
      break;
  }
  const http1::ResponseHead& head = head_->parser.head();
  status_ = static_cast<std::int16_t>(head.status);
  is_chunked_ = head.framing == http1::BodyFraming::chunked;
  const bool is_event_stream = head.is_event_stream();
  head_.reset();
  if (status_ != 200) return HeadResult::status;
  if (!is_event_stream) return HeadResult::wrong_type;
  streaming_ = true;
  return HeadResult::accepted;
}

}  // namespace rt

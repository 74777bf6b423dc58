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
  extra_.reset();
  status_ = 0;
  streaming_ = false;
  is_chunked_ = false;
}

void StreamConnection::stop() {
  parser_.finish();
  extra_.reset();
  streaming_ = false;
}

bool StreamConnection::read_head(std::string_view& bytes, Progress& progress) {
  // The parser lives only while a head is read.
  if (!extra_) extra_ = std::make_unique<Extra>();
  if (!extra_->head) extra_->head = std::make_unique<http1::ResponseParser>();
  switch (extra_->head->receive(bytes)) {
    case http1::HeadStatus::need_more:
      return false;
    case http1::HeadStatus::bad:
      extra_.reset();
      progress = Progress::malformed;
      return true;
    case http1::HeadStatus::complete:
      break;
  }
  const http1::ResponseHead& head = extra_->head->head();
  is_chunked_ = head.framing == http1::BodyFraming::chunked;
  const std::string_view coding = head.header("content-encoding");
  const Answer answer{head.status, head.is_event_stream(),
                      coding.empty() || coding == "identity" ? ContentCoding::identity
                      : coding == "gzip"                     ? ContentCoding::gzip
                                                             : ContentCoding::unknown};
  extra_.reset();
  progress = accept(answer);
  return true;
}

StreamConnection::Progress StreamConnection::accept(const Answer& answer) {
  status_ = static_cast<std::int16_t>(answer.status);
  if (status_ != 200) return Progress::status;
  if (!answer.is_event_stream) return Progress::wrong_type;
  if (answer.coding == ContentCoding::unknown) return Progress::malformed;
  if (answer.coding == ContentCoding::gzip) {
    extra_ = std::make_unique<Extra>();
    extra_->inflater = std::make_unique<Inflater>();
  }
  streaming_ = true;
  return Progress::more;
}

}  // namespace rt

#include "proto/http1_response.h"

#include "base/text.h"
#include "proto/http1_fields.h"

namespace rt::http1 {
namespace {

constexpr std::uint8_t kInterimMax = 8;  // 100, 102, 103 in a row; a peer that sends more stalls us

}  // namespace

HeadStatus ResponseParser::receive(std::string_view& bytes) {
  if (fault_ != nullptr) return HeadStatus::bad;
  for (;;) {
    switch (collector_.receive(bytes)) {
      case HeadCollector::Status::need_more:
        return HeadStatus::need_more;
      case HeadCollector::Status::bad_line_end:
        return refuse("a line of the response head is folded or does not end in CR LF");
      case HeadCollector::Status::too_large:
        return refuse("the response head is too large");
      case HeadCollector::Status::complete:
        break;
    }
    const HeadStatus status = take(collector_.head());
    if (status != HeadStatus::need_more) return status;
    collector_.reset();
  }
}

// need_more: an interim answer, the real one follows.
HeadStatus ResponseParser::take(std::string_view text) {
  StartLine line;
  const HeadFault fault = parse_response_lines(text, line, head_.headers);
  if (fault != HeadFault::none) return refuse(fault_text(fault));
  if (line.status / 100 == 1 && line.status != 101) {
    if (++interim_count_ > kInterimMax) return refuse("interim responses do not end");
    return HeadStatus::need_more;
  }
  head_.status = line.status;
  head_.reason = line.reason;
  head_.keep_alive = line.keep_alive;
  head_.content_length = line.content_length.value_or(0);
  const auto coding = head_.headers.find("transfer-encoding");
  if (line.status == 204 || line.status == 304) {
    head_.framing = BodyFraming::none;
  } else if (coding) {
    if (!equal_ignoring_case(*coding, "chunked"))
      return refuse("the transfer coding is not chunked");
    head_.framing = BodyFraming::chunked;
  } else if (line.content_length) {
    head_.framing = head_.content_length > 0 ? BodyFraming::length : BodyFraming::none;
  } else {
    head_.framing = BodyFraming::until_close;
  }
  return HeadStatus::complete;
}

void ResponseParser::reset() {
  collector_.reset();
  head_ = {};
  fault_ = nullptr;
  interim_count_ = 0;
}

HeadStatus ResponseParser::refuse(const char* fault) {
  fault_ = fault;
  return HeadStatus::bad;
}

}  // namespace rt::http1

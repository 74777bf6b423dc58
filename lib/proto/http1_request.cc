#include "proto/http1_request.h"

#include <algorithm>

#include "base/text.h"
#include "proto/http1_fields.h"
#include "proto/percent.h"

namespace rt::http1 {

namespace {

// "GET / HTTP/2.0": well-formed, but a version we do not speak.
bool names_other_version(std::string_view head) {
  const std::string_view line = head.substr(0, head.find('\r'));
  const std::string_view version = line.substr(line.rfind(' ') + 1);
  return version.starts_with("HTTP/") && version != "HTTP/1.1" && version != "HTTP/1.0";
}

}  // namespace

std::optional<std::string> RequestHead::parameter(std::string_view name) const {
  return query_parameter(query, name);
}

HeadStatus RequestParser::receive(std::string_view& bytes) {
  if (refusal_.status != 0) return HeadStatus::bad;
  switch (collector_.receive(bytes)) {
    case HeadCollector::Status::need_more:
      return HeadStatus::need_more;
    case HeadCollector::Status::bad_line_end:
      return refuse(400, "a line of the request head is folded or does not end in CR LF");
    case HeadCollector::Status::too_large:
      if (collector_.in_start_line()) return refuse(414, "the request target is too long");
      return refuse(431, "the request head is too large");
    case HeadCollector::Status::complete:
      break;
  }
  StartLine line;
  const HeadFault fault = parse_request_lines(collector_.head(), line, head_.headers);
  if (fault == HeadFault::version && names_other_version(collector_.head())) {
    return refuse(505, fault_text(fault));
  }
  if (fault == HeadFault::too_many_headers) return refuse(431, fault_text(fault));
  if (fault != HeadFault::none) return refuse(400, fault_text(fault));
  head_.method = line.method;
  head_.target = line.target;
  head_.version = line.version;
  head_.content_length = line.content_length;
  head_.chunked = line.chunked;
  head_.keep_alive = line.keep_alive;
  return check();
}

HeadStatus RequestParser::check() {
  const std::size_t codings = head_.headers.count("transfer-encoding");
  if (codings > 0) {
    if (codings > 1 || head_.content_length || head_.version < 11) {
      return refuse(400, "Transfer-Encoding is repeated, beside Content-Length or in HTTP/1.0");
    }
    if (!equal_ignoring_case(head_.header("transfer-encoding"), "chunked")) {
      return refuse(501, "the transfer coding is not chunked alone");
    }
  }
  // Also twice the same, or "2, 2": others may take the first, the last, or none (RFC 9110 8.6).
  if (head_.headers.count("content-length") > 1 ||
      head_.header("content-length").find(',') != std::string_view::npos) {
    return refuse(400, "Content-Length is repeated");
  }
  const std::size_t hosts = head_.headers.count("host");
  if (hosts > 1 || (hosts == 0 && head_.version >= 11)) {
    return refuse(400, "there must be one Host header");
  }
  const Refusal refusal = resolve_target(head_, limits_);
  return refusal.status == 0 ? HeadStatus::complete : refuse(refusal.status, refusal.text);
}

HeadStatus RequestParser::refuse(int status, const char* text) {
  refusal_ = {status, text};
  return HeadStatus::bad;
}

// Origin form "/a?b" is the rule; of the absolute form only path and query count (RFC 9112 3.2.2).
Refusal resolve_target(RequestHead& head, const RequestLimits& limits) {
  if (head.content_length.value_or(0) > limits.body_bytes_max) {
    return {413, "the request body is too large"};
  }
  std::string_view rest = head.target;
  if (rest.size() > limits.target_bytes_max) return {414, "the request target is too long"};
  const std::size_t scheme = rest.find("://");
  if (!rest.starts_with('/') && scheme != std::string_view::npos) {
    rest.remove_prefix(scheme + 3);
    const std::size_t authority_end = rest.find_first_of("/?");
    rest.remove_prefix(std::min(authority_end, rest.size()));
    if (!rest.starts_with('/')) head.path = "/";  // "http://host?query"
  } else if (!rest.starts_with('/') && rest != "*") {
    return {400, "the request target is neither a path nor a URL"};
  }
  const std::size_t question = rest.find('?');
  const auto path = percent_decode(rest.substr(0, question));
  head.query = question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
  if (!path || !percent_decode(head.query)) {
    return {400, "the request target has broken percent-encoding"};
  }
  head.path += *path;
  return {};
}

}  // namespace rt::http1

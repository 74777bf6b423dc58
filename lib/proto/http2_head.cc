#include "proto/http2_head.h"

#include <algorithm>

#include "base/text.h"

namespace rt::http2 {

bool Head::add(std::string_view name, std::string_view value) {
  list_bytes_ += name.size() + value.size() + kFieldOverhead;
  if (list_bytes_ > std::max(kHopelessHeadBytes, limits_.head_bytes_max)) return false;
  if (list_bytes_ > limits_.head_bytes_max || fields_.size() > http1::kHeadersMax) return true;
  text_.append(name).append(value);
  fields_.push_back(
      {static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(value.size())});
  return true;
}

void Head::place_fields() {
  std::string_view rest = text_;
  for (const Field& field : fields_) {
    const std::string_view name = rest.substr(0, field.name_size);
    const std::string_view value = rest.substr(field.name_size, field.value_size);
    rest.remove_prefix(name.size() + value.size());
    if (name == ":method") {
      head_.method = value;
    } else if (name == ":path") {
      head_.target = value;
    } else if (name == ":authority") {
      authority_ = value;
    } else if (!name.starts_with(':')) {
      head_.headers.add(name, value);
    }
  }
}

http1::Refusal Head::finish(bool body_follows) {
  if (list_bytes_ > limits_.head_bytes_max) return {431, "the request head is too large"};
  if (fields_.size() > http1::kHeadersMax) return {431, "there are too many header lines"};
  place_fields();
  head_.version = 20;
  head_.keep_alive = true;
  // What decides about a request reads one name of the server (RFC 9113 section 8.3.1).
  const std::size_t hosts = head_.headers.count("host");
  if (hosts > 1 || (hosts == 0 && authority_.empty())) {
    return {400, "there must be one :authority or Host"};
  }
  if (hosts == 0) {
    head_.headers.add("host", authority_);
  } else if (!authority_.empty() && !equal_ignoring_case(authority_, head_.header("host"))) {
    return {400, ":authority and Host differ"};
  }
  if (const auto length = head_.headers.find("content-length")) {
    head_.content_length = parse_decimal(*length);
    if (!head_.content_length) return {400, "Content-Length is not a number"};
  }
  head_.chunked = body_follows && !head_.content_length;  // a length that nobody knows yet
  return http1::resolve_target(head_, limits_);
}

}  // namespace rt::http2

// Requests and responses: the first byte chooses how the rest is cut; the verdict must not depend
// on it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "proto/http1_request.h"
#include "proto/http1_response.h"

namespace {

using namespace rt::http1;

struct Outcome {
  HeadStatus status = HeadStatus::need_more;
  int code = 0;
  std::string parts;
  std::size_t left = 0;  // bytes after the head
  bool operator==(const Outcome&) const = default;
};

std::string parts_of(const RequestHead& head) {
  std::string parts(head.method);
  parts.append("|").append(head.path).append("|").append(head.query);
  if (head.chunked && head.content_length) std::abort();  // two framings at once
  return parts.append("|").append(std::to_string(head.content_length.value_or(0)));
}

std::string parts_of(const ResponseHead& head) {
  std::string parts = std::to_string(head.status);
  parts.append("|").append(head.content_type());
  return parts.append("|").append(std::to_string(static_cast<int>(head.framing)));
}

template <typename Parser>
Outcome read_head(std::string_view wire, std::size_t step) {
  Parser parser;
  Outcome outcome;
  std::string piece;  // outlives the parser's views
  while (!wire.empty() && outcome.status == HeadStatus::need_more) {
    piece = wire.substr(0, step);
    wire.remove_prefix(piece.size());
    std::string_view bytes = piece;
    outcome.status = parser.receive(bytes);
    outcome.left = bytes.size() + wire.size();
  }
  if (outcome.status == HeadStatus::complete) {
    outcome.parts = parts_of(parser.head());
  } else {
    outcome.left = 0;  // of a bad head means nothing
  }
  if constexpr (std::is_same_v<Parser, RequestParser>) outcome.code = parser.refusal_status();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view wire(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const std::size_t step = bytes[0] % 64u + 1;
  if (read_head<RequestParser>(wire, step) != read_head<RequestParser>(wire, size)) std::abort();
  if (read_head<ResponseParser>(wire, step) != read_head<ResponseParser>(wire, size)) std::abort();
  return 0;
}

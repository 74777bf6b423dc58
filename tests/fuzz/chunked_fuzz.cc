// The first byte chooses how the rest is cut; body and verdict must not depend on it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "proto/chunked.h"

namespace {

using rt::http1::ChunkedDecoder;

struct Outcome {
  ChunkedDecoder::Status status = ChunkedDecoder::Status::need_more;
  std::string body;
  std::size_t left = 0;  // bytes after the body
  bool operator==(const Outcome&) const = default;
};

Outcome decode(std::string_view coded, std::size_t step) {
  ChunkedDecoder decoder;
  Outcome outcome;
  while (!coded.empty() && outcome.status == ChunkedDecoder::Status::need_more) {
    std::string_view piece = coded.substr(0, step);
    coded.remove_prefix(piece.size());
    std::string_view payload;
    while ((outcome.status = decoder.next(piece, payload)) == ChunkedDecoder::Status::payload) {
      if (payload.empty()) std::abort();
      outcome.body.append(payload);
    }
    outcome.left = piece.size() + coded.size();
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view coded(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  if (decode(coded, bytes[0] % 32u + 1) != decode(coded, size)) std::abort();
  return 0;
}

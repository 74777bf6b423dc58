// The first byte chooses how the rest is cut; the outcome must be the reference's, whatever the
// cut.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "proto/sse_reference.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  using namespace rt::sse;
  const std::size_t step = bytes[0] % 64u + 1;
  const std::string_view stream(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const Items expected = reference_parse(stream);
  if (parse_in_steps(stream, step) != expected) std::abort();
  if (parse_in_steps(stream, size, {.keep_buffer = false}) != expected) std::abort();
  // Small bounds and no repair: nothing to compare with, but it must not misbehave.
  parse_in_steps(stream, step, {.event_bytes_max = bytes[0], .repair_utf8 = false});
  return 0;
}

#include "server/run_memory.h"

#include <catch2/catch.hpp>

using rt::test::RunMemory;

// A sanitizer's allocator keeps no statistics of this kind.
#ifndef RT_SANITIZED
TEST_CASE("store: a run costs at most 200 bytes beyond its row's own, however many there are",
          "[server]") {
  RunMemory memory(1);
  // Ten counts an octave: an array or a table that has just grown must not make the difference.
  for (double target = 10'000; target < 200'000; target *= 1.072) {
    const auto runs = static_cast<std::size_t>(target);
    memory.add(runs - memory.store().size());
    CAPTURE(runs);
    CHECK(memory.bytes_per_run() <= 200);
    CHECK(memory.bytes_per_run() >= 80);  // 32 in the array, 48 in the indexes at the very least
  }
}
#endif

#include "io/spsc_ring.h"

#include <catch2/catch.hpp>
#include <memory>
#include <thread>

using rt::io::SpscRing;

TEST_CASE("spsc ring: a full ring refuses and leaves the value with the caller", "[io]") {
  SpscRing<std::unique_ptr<int>> ring(2);
  REQUIRE(ring.push(std::make_unique<int>(1)));
  REQUIRE(ring.push(std::make_unique<int>(2)));
  auto third = std::make_unique<int>(3);
  REQUIRE_FALSE(ring.push(std::move(third)));
  REQUIRE(third != nullptr);
  std::unique_ptr<int> out;
  REQUIRE(ring.pop(out));
  CHECK(*out == 1);
  REQUIRE(ring.push(std::move(third)));
  REQUIRE(ring.pop(out));
  REQUIRE(ring.pop(out));
  CHECK(*out == 3);
  CHECK_FALSE(ring.pop(out));
}

TEST_CASE("spsc ring: two threads see every value once and in order", "[io]") {
  constexpr int kCount = 200'000;
  SpscRing<int> ring(64);
  std::thread producer([&] {
    for (int i = 0; i < kCount; ++i) {
      int value = i;
      while (!ring.push(std::move(value))) std::this_thread::yield();
    }
  });
  int expected = 0;
  bool in_order = true;
  while (expected < kCount) {
    int value = -1;
    if (!ring.pop(value)) {
      std::this_thread::yield();
      continue;
    }
    in_order = in_order && value == expected;
    ++expected;
  }
  producer.join();
  CHECK(in_order);
  CHECK(ring.size() == 0);
}

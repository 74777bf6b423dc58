#include "pipe/backoff.h"

#include <catch2/catch.hpp>

#include "pipe/reconnector.h"

using namespace std::chrono_literals;
using rt::Backoff;
using rt::Code;
using rt::Duration;
using rt::Random;
using rt::Reconnector;
using rt::Result;

TEST_CASE("backoff: doubles from 200 ms to 10 s, and waits for half of it at least", "[pipe]") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Backoff backoff{Random(seed)};
    Duration most = 200ms;
    for (std::uint32_t failures = 1; failures <= 40; ++failures) {
      const Duration delay = backoff.next();
      CHECK(delay >= most / 2);
      CHECK(delay <= most);
      CHECK(backoff.failures() == failures);
      most = std::min<Duration>(most * 2, 10s);
    }
    backoff.reset();
    CHECK(backoff.failures() == 0);
    CHECK(backoff.next() <= 200ms);
  }
}

TEST_CASE("backoff: two consumers do not come back together", "[pipe]") {
  Backoff first{Random(1)};
  Backoff second{Random(2)};
  CHECK(first.next() != second.next());
}

TEST_CASE("reconnector: only a lost connection is tried again", "[pipe]") {
  const rt::LinkWatch watch;
  int sessions = 0;
  Reconnector link({}, watch, -1);
  const Result<void> ended = link.run([&]() -> Result<void> {
    ++sessions;
    if (sessions == 2) return rt::fail(Code::refused, "no");
    CHECK_FALSE(link.opened());
    return rt::fail(Code::unreachable, "lost");
  });
  CHECK(ended.error().code == Code::refused);
  CHECK(sessions == 2);
  CHECK(link.reconnects() == 1);
}

TEST_CASE("reconnector: gives up when the first attempt or too many in a row fail", "[pipe]") {
  int retries = 0;
  rt::LinkWatch watch;
  watch.on_retry = [&](const rt::Error&, Duration, std::uint32_t failures) {
    CHECK(failures == static_cast<std::uint32_t>(++retries));
  };
  int sessions = 0;
  const auto lost = [&]() -> Result<void> {
    ++sessions;
    return rt::fail(Code::unreachable, "lost");
  };
  SECTION("the first") {
    CHECK(Reconnector({}, watch, -1).run(lost).error().code == Code::unreachable);
    CHECK(sessions == 1);
    CHECK(retries == 0);
  }
  SECTION("too many") {
    const Result<void> ended =
        Reconnector({.retry_first = true, .retries_max = 2}, watch, -1).run(lost);
    CHECK(ended.error().code == Code::unreachable);
    CHECK(sessions == 3);
    CHECK(retries == 2);
  }
}

#include "io/arrival.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <string_view>

#include "base/clock.h"
#include "base/fd.h"
#include "io/socket.h"

using namespace rt;
using namespace rt::io;

namespace {

struct Pair {
  Fd listener;
  Fd reader;
  Fd writer;
};

Pair connected_pair() {
  Pair pair;
  pair.listener = std::move(*listen_on(*parse_address("127.0.0.1:0"), {}));
  pair.reader = std::move(*connect_to(*local_address(pair.listener.get()), nullptr));
  pair.writer = Fd(::accept(pair.listener.get(), nullptr, nullptr));
  REQUIRE(pair.writer);
  return pair;
}

void send_and_await(const Pair& pair, std::string_view bytes) {
  REQUIRE(::send(pair.writer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0);
  pollfd readable{pair.reader.get(), POLLIN, 0};
  REQUIRE(::poll(&readable, 1, 5'000) == 1);
}

}  // namespace

TEST_CASE("arrival: the stamp lies between sending and reading, however late the read is",
          "[io][arrival]") {
  const Pair pair = connected_pair();
  stamp_arrivals(pair.reader.get());
  std::array<char, 64> buffer;
  // The kernel begins to stamp a moment after the first socket asked for it.
  const SystemClock clock;
  const Instant until = clock.now() + std::chrono::seconds(5);
  for (Arrival got; got.stamp_unix_ns == 0;) {
    REQUIRE(clock.now() < until);
    send_and_await(pair, "x");
    got = receive(pair.reader.get(), buffer.data(), buffer.size());
  }
  const std::int64_t before_us = unix_us(clock.wall());
  send_and_await(pair, "hello");
  const std::int64_t sent_us = unix_us(clock.wall());
  ::poll(nullptr, 0, 20);  // so long the bytes wait
  const Arrival got = receive(pair.reader.get(), buffer.data(), buffer.size());
  CHECK(std::string_view(buffer.data(), static_cast<std::size_t>(got.bytes)) == "hello");
  CHECK(got.error == 0);
  CHECK(got.stamp_unix_ns / 1'000 >= before_us);
  CHECK(got.stamp_unix_ns / 1'000 <= sent_us);
}

TEST_CASE("arrival: a socket that did not ask for stamps has none", "[io][arrival]") {
  const Pair pair = connected_pair();
  std::array<char, 64> buffer;
  send_and_await(pair, "hello");
  const Arrival got = receive(pair.reader.get(), buffer.data(), buffer.size());
  CHECK(got.bytes == 5);
  CHECK(got.stamp_unix_ns == 0);
}

TEST_CASE("arrival: nothing to read, and the end of the stream, are told apart", "[io][arrival]") {
  Pair pair = connected_pair();
  std::array<char, 64> buffer;
  const Arrival nothing = receive(pair.reader.get(), buffer.data(), buffer.size());
  CHECK(nothing.bytes == -1);
  CHECK(nothing.error == EAGAIN);
  pair.writer.close();
  pollfd readable{pair.reader.get(), POLLIN, 0};
  REQUIRE(::poll(&readable, 1, 5'000) == 1);
  const Arrival end = receive(pair.reader.get(), buffer.data(), buffer.size());
  CHECK(end.bytes == 0);
  CHECK(end.error == 0);
}

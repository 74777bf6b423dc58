#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <thread>

#include "base/clock.h"
#include "io/descriptors.h"
#include "io/poller.h"
#include "io/socket.h"
#include "io/wakeup.h"

using namespace rt;
using namespace rt::io;

TEST_CASE("address: text forms are read and written back", "[io]") {
  CHECK(parse_address("127.0.0.1:8080")->text() == "127.0.0.1:8080");
  CHECK(parse_address(":9")->text() == "0.0.0.0:9");
  CHECK(parse_address("8080")->text() == "127.0.0.1:8080");
  CHECK(parse_address("[::1]:80")->text() == "[::1]:80");
  CHECK(parse_address("[::1]:80")->is_loopback());
  CHECK_FALSE(parse_address(":80")->is_loopback());
  for (const char* bad : {"", "x:1", "1.2.3.4:70000", "127.0.0.1:", "127.0.0.1:8a"}) {
    CAPTURE(bad);
    CHECK(parse_address(bad).error().code == Code::usage);
  }
}

TEST_CASE("claim_port: a port in use is refused with a hint", "[io]") {
  Address address = *parse_address("127.0.0.1:0");
  const Fd held = *listen_on(address, {});
  Address taken = *local_address(held.get());
  const auto claimed = claim_port(taken);
  REQUIRE_FALSE(claimed);
  CHECK(claimed.error().code == Code::limit);
  CHECK(claimed.error().text.find("EADDRINUSE") != std::string::npos);
  CHECK_FALSE(claimed.error().hint.empty());
}

TEST_CASE("claim_port: listeners that share the claimed port accept connections", "[io]") {
  Address address = *parse_address("127.0.0.1:0");
  const Fd claim = *claim_port(address);
  const Fd a = *listen_on(address, {.share_port = true, .backlog = 8});
  const Fd b = *listen_on(address, {.share_port = true, .backlog = 8});
  SystemClock clock;
  Poller poller = *Poller::create();
  const Fd client = *connect_to(address, nullptr);
  REQUIRE(poller.watch(client.get(), 7, Interest::write));
  std::array<Ready, 4> ready;
  const Instant now = clock.now();
  REQUIRE(poller.wait(ready, now + std::chrono::seconds(5), now) == 1);
  CHECK(ready[0].token == 7);
  CHECK(connect_error(client.get()) == 0);
}

TEST_CASE("wakeup: rings before an answer are one readiness", "[io]") {
  SystemClock clock;
  Poller poller = *Poller::create();
  Wakeup wakeup = *Wakeup::create();
  REQUIRE(poller.watch(wakeup.fd(), 1, Interest::read));
  std::array<Ready, 4> ready;
  const Instant now = clock.now();
  CHECK(poller.wait(ready, now, now) == 0);
  wakeup.ring();
  wakeup.ring();
  CHECK(poller.wait(ready, now, now) == 1);
  wakeup.answer();
  CHECK(poller.wait(ready, now, now) == 0);
  wakeup.ring();
  CHECK(poller.wait(ready, now, now) == 1);
}

TEST_CASE("descriptors: a thread with its own table keeps only what it was told to", "[io]") {
  int pipe_fds[2];
  REQUIRE(::pipe(pipe_fds) == 0);
  const Fd kept(pipe_fds[0]);
  const Fd dropped(pipe_fds[1]);
  bool kept_there = false;
  bool dropped_there = true;
  Result<void> unshared = {};
  std::thread([&] {
    const std::array<int, 1> keep{kept.get()};
    unshared = own_descriptor_table(keep);
    kept_there = ::fcntl(kept.get(), F_GETFD) >= 0;
    dropped_there = ::fcntl(dropped.get(), F_GETFD) >= 0;
  }).join();
  REQUIRE(unshared);
  CHECK(kept_there);
  CHECK_FALSE(dropped_there);
  CHECK(::fcntl(dropped.get(), F_GETFD) >= 0);  // still open in this thread's table
}

#include "load/source_addresses.h"

#include <catch2/catch.hpp>

using rt::io::parse_address;

TEST_CASE("sources: loopback has as many addresses as anybody needs, from 127.0.1.1 on",
          "[load][sources]") {
  const auto target = *parse_address("127.0.0.1:8080");
  CHECK(rt::count_source_addresses(target) == 64'516);
  const auto sources = rt::source_addresses(target, 300);
  REQUIRE(sources.size() == 300);
  CHECK(sources[0].text() == "127.0.1.1:0");
  CHECK(sources[253].text() == "127.0.1.254:0");
  CHECK(sources[254].text() == "127.0.2.1:0");
}

TEST_CASE("sources: one address is left to the kernel where it has no choice", "[load][sources]") {
  const auto target = *parse_address("[::1]:8080");
  CHECK(rt::count_source_addresses(target) == 1);
  CHECK(rt::source_addresses(target, 1).empty());
}

TEST_CASE("sources: each of them can open a connection to a listener on loopback",
          "[load][sources]") {
  const auto listener = rt::io::listen_on(*parse_address("127.0.0.1:0"), {});
  REQUIRE(listener);
  const auto target = *rt::io::local_address(listener->get());
  for (const auto& source : rt::source_addresses(target, 3)) {
    const auto socket = rt::io::connect_to(target, &source);
    REQUIRE(socket);
    const std::string from = rt::io::local_address(socket->get())->text();
    CHECK(from.substr(0, from.find(':')) == source.text().substr(0, source.text().find(':')));
  }
}

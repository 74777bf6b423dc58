#include "load/source_addresses.h"

#include <catch2/catch.hpp>
#include <set>
#include <vector>

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

TEST_CASE("sources: connections leave from the ports of a range alone, and as many as it has",
          "[load][sources]") {
  if (!rt::io::bounds_ports()) return;  // a kernel before Linux 6.3: rtbench plan says so
  const auto listener = rt::io::listen_on(*parse_address("127.0.0.1:0"), {});
  REQUIRE(listener);
  const auto target = *rt::io::local_address(listener->get());
  const auto source = *parse_address("127.77.0.1:0");  // which no other test uses
  constexpr rt::io::PortRange kPorts = {41'000, 41'007};
  std::set<std::uint16_t> used;
  std::vector<rt::Fd> open;
  for (int i = 0; i < 8; ++i) {
    auto socket = rt::io::connect_to(target, &source, kPorts);
    REQUIRE(socket);
    used.insert(rt::io::local_address(socket->get())->port());
    open.push_back(std::move(*socket));
  }
  CHECK(used.size() == 8);
  CHECK(*used.begin() == kPorts.first);
  CHECK(*used.rbegin() == kPorts.last);
  const auto one_more = rt::io::connect_to(target, &source, kPorts);
  REQUIRE_FALSE(one_more);
  CHECK(one_more.error().code == rt::Code::limit);
}

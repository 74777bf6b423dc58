// Redis URLs and error replies; the connection itself is in tests/integration/redis_test.cc.
#include "redis/address.h"

#include <catch2/catch.hpp>

#include "redis/connection.h"

namespace rt::test {
namespace {

TEST_CASE("redis: a URL names host, port, database and credentials", "[redis]") {
  const auto address = parse_redis_url("redis://me:p%40ss%2Fword@cache.example:7000/3");
  REQUIRE(address);
  CHECK(address->host == "cache.example");
  CHECK(address->port == 7000);
  CHECK(address->database == 3);
  CHECK(address->user == "me");
  CHECK(address->password == "p@ss/word");
  CHECK(address->text() == "cache.example:7000/3");
}

TEST_CASE("redis: what a URL leaves out has Redis's defaults", "[redis]") {
  struct Case {
    const char* url;
    const char* text;
  };
  const auto example = GENERATE(
      Case{"redis://localhost", "localhost:6379/0"}, Case{"redis://localhost/", "localhost:6379/0"},
      Case{"redis://:secret@localhost", "localhost:6379/0"}, Case{"redis:///2", "127.0.0.1:6379/2"},
      Case{"10.0.0.1:7", "10.0.0.1:7/0"}, Case{"redis://[::1]:7/1", "[::1]:7/1"},
      Case{"redis://[::1]", "[::1]:6379/0"}, Case{"unix:///run/redis.sock", "/run/redis.sock/0"},
      Case{"unix:///run/a@b.sock?db=4", "/run/a@b.sock/4"},
      Case{"unix://u:p@/run/redis.sock", "/run/redis.sock/0"});
  INFO(example.url);
  const auto address = parse_redis_url(example.url);
  REQUIRE(address);
  CHECK(address->text() == example.text);
}

TEST_CASE("redis: a malformed URL is a usage error that never shows the password", "[redis]") {
  const std::string url = GENERATE(
      "", "redis://", "http://u:secret@host", "redis://u:secret@host:0", "redis://u:secret@host:x",
      "redis://u:secret@host/x", "redis://u:secret%4@host", "redis://u:secret@[::1", "unix://tmp/a",
      "redis://u:secret@host:65536", "rediss://u:secret@host", "redis://u:secret@host/99999999999");
  INFO(url);
  const auto address = parse_redis_url(url);
  REQUIRE(!address);
  CHECK(address.error().code == Code::usage);
  CHECK(address.error().text.find("secret") == std::string::npos);
  CHECK(!address.error().hint.empty());
}

TEST_CASE("redis: an error reply says what to do next", "[redis]") {
  CHECK(redis_error("cannot x", "h:1/0", "NOAUTH Authentication required.").code == Code::refused);
  CHECK(redis_error("cannot x", "h:1/0", "LOADING Redis is loading").code == Code::unreachable);
  const Error error = redis_error("cannot x", "h:1/0", "ERR a\r\nb");
  CHECK(error.text == "cannot x on h:1/0: ERR a  b");
  CHECK(error.code == Code::refused);
}

}  // namespace
}  // namespace rt::test

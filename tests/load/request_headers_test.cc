#include "load/request_headers.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

using Catch::Matchers::Contains;
using rt::ConnectionText;
using rt::HeaderSpec;
using rt::RequestHeaders;
using rt::why_no_header;

namespace {

class Folder {
 public:
  Folder() {
    path_ = std::filesystem::temp_directory_path() / ("rt-headers-" + std::to_string(::getpid()));
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string put(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name) << content;
    return (path_ / name).string();
  }
  std::string at(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

HeaderSpec header(const std::string& value) {
  return {"Authorization", value, "x.json:7: /target/request/headers/Authorization"};
}

std::string error_of(const HeaderSpec& spec, std::uint64_t connections = 10) {
  const auto loaded = RequestHeaders::load({spec}, connections);
  if (loaded) return "accepted";
  CHECK(loaded.error().code == rt::Code::usage);
  return loaded.error().text;
}

std::string lines(const RequestHeaders& headers, std::uint64_t connection) {
  std::string out;
  headers.append_lines(out, connection);
  return out;
}

}  // namespace

TEST_CASE("request headers: {conn} is the connection's number, {conn%N} what division leaves",
          "[load][headers]") {
  const auto text_of = [](const char* text, std::uint64_t connection) {
    std::string out;
    ConnectionText::parse(text).value().append(out, connection);
    return out;
  };
  CHECK(text_of("plain", 7) == "plain");
  CHECK(text_of("tok/{conn}.jwt", 1234) == "tok/1234.jwt");
  CHECK(text_of("tok/{conn%1000}", 1234) == "tok/234");
  for (const char* bad : {"{", "}", "{con}", "{conn%0}", "{conn%}", "{conn%x}", "{conn}{conn}"}) {
    CHECK_FALSE(ConnectionText::parse(bad));
  }
}

TEST_CASE("request headers: connections share the files of {conn%N}", "[load][headers]") {
  const Folder folder;
  for (int i = 0; i < 3; ++i) folder.put(std::to_string(i), "secret-" + std::to_string(i) + "\n");
  const auto headers =
      RequestHeaders::load({header("Bearer @file:" + folder.at("{conn%3}"))}, 400'000);
  REQUIRE(headers.has_value());
  CHECK(lines(*headers, 0) == "authorization: Bearer secret-0\r\n");
  CHECK(lines(*headers, 5) == "authorization: Bearer secret-2\r\n");
  CHECK(lines(*headers, 399'999) == "authorization: Bearer secret-0\r\n");
}

TEST_CASE("request headers: fewer connections than files need only their own", "[load][headers]") {
  const Folder folder;
  folder.put("0", "a");
  folder.put("1", "b");
  const auto headers = RequestHeaders::load({header("@file:" + folder.at("{conn%1000}"))}, 2);
  REQUIRE(headers.has_value());
  CHECK(lines(*headers, 1) == "authorization: b\r\n");
}

TEST_CASE("request headers: a value without a file may name the connection", "[load][headers]") {
  const auto headers =
      RequestHeaders::load({{"X-Client", "bench-{conn}", "x"}, {"X-Tenant", "blue", "x"}}, 10);
  REQUIRE(headers.has_value());
  CHECK(lines(*headers, 4) == "x-client: bench-4\r\nx-tenant: blue\r\n");
}

TEST_CASE("request headers: a file that cannot serve is named, with the place in the scenario",
          "[load][headers]") {
  const Folder folder;
  const std::string missing = folder.at("{conn%2}");
  folder.put("0", "fine");
  CHECK_THAT(error_of(header("@file:" + missing)),
             Contains("x.json:7: /target/request/headers/Authorization: cannot read") &&
                 Contains(folder.at("1")) && Contains("ENOENT"));
  CHECK_THAT(error_of(header("@file:" + folder.put("e", " \n"))), Contains("it is empty"));
  CHECK_THAT(error_of(header("@file:" + folder.put("m", "a\r\nX-Evil: b\n"))),
             Contains("several lines"));
  CHECK_THAT(error_of(header("@file:" + folder.put("l", std::string(5000, 'x')))),
             Contains("more than 4096 bytes"));
  CHECK_THAT(error_of(header("@file:" + folder.at("{conn}")), 100'001),
             Contains("at most 100000 are read"));
}

TEST_CASE("request headers: what a scenario may not say is refused with the reason",
          "[load][headers]") {
  CHECK(why_no_header("Authorization", "@file:tok/{conn%1000}").empty());
  CHECK(why_no_header("X-A", "b").empty());
  CHECK_THAT(why_no_header("X A", "b"), Contains("no name of a header"));
  CHECK_THAT(why_no_header("Last-Event-ID", "7"), Contains("is this tool's to send"));
  CHECK_THAT(why_no_header("X-A", "b\r\nX-B: c"), Contains("one line"));
  CHECK_THAT(why_no_header("X-A", "{topic}"), Contains("{conn}"));
  CHECK_THAT(why_no_header("Authorization", "Bearer abc"), Contains("a secret stands in a file"));
  CHECK_THAT(why_no_header("Cookie", "@file:"), Contains("names a file"));
}

// rtctl serve as those who run it meet it: its configuration checked, a socket of systemd, its
// state told to systemd, the access log moved away.
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/clock.h"
#include "integration/child_process.h"
#include "integration/patience.h"
#include "integration/private_redis.h"
#include "integration/running_tool.h"
#include "io/socket.h"
#include "redis/address.h"
#include "server/http_client.h"
#include "temp_folder.h"

using namespace rt;
using namespace rt::test;

namespace {

const RunningTool::Environment kNoRedis = {{"REDIS_URL", ""}};

bool has_line(const std::string& text, const std::string& begin) {
  return ("\n" + text).find("\n" + begin) != std::string::npos;
}

std::string ask(const io::Address& server, const std::string& target) {
  HttpClient client(server);
  client.get(target, "Connection: close\r\n");
  return client.until_closed();
}

io::Address address_of(RunningTool& server) {
  REQUIRE(server.wait_for("rtctl: serving"));
  const std::string& text = server.error_text();
  const std::size_t at = text.find("127.0.0.1:", text.find("url="));
  return *io::parse_address(text.substr(at, text.find(' ', at) - at));
}

bool appears(const std::string& path, const std::string& text) {
  const SystemClock clock;
  const Instant deadline = clock.now() + std::chrono::seconds(20);
  while (clock.now() < deadline) {
    if (read_text(path).find(text) != std::string::npos) return true;
    std::this_thread::yield();
  }
  return false;
}

}  // namespace

TEST_CASE("serve operation: --check says what is served and asks nobody", "[serve_operation]") {
  const TempFolder folder;
  // Nobody listens on port 1.
  const Outcome outcome =
      run({"rtctl", "serve", "--check", "--pg", "postgresql://u:secret@127.0.0.1:1/none", "--redis",
           "redis://:secret@127.0.0.1:1/0", "--history", folder / "history", "--access-log",
           folder / "access.log", "--cors-origin", "https://app.example"});
  INFO(outcome.out << outcome.err);
  CHECK(outcome.status == 0);
  CHECK(outcome.err.empty());
  for (const char* const name : {"settings", "listen", "postgres", "redis", "history", "access-log",
                                 "runs", "topics", "events", "realtime", "jobs"}) {
    const std::string padded = std::string(name) + std::string(10 - std::strlen(name), ' ');
    CHECK(has_line(outcome.out, padded + " ok: "));
  }
  CHECK(outcome.out.find("secret") == std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "history"));
  CHECK_FALSE(std::filesystem::exists(folder / "access.log"));
}

TEST_CASE("serve operation: --check counts what is wrong and ends with 2", "[serve_operation]") {
  const TempFolder folder;
  std::ofstream(folder / "file") << "x";
  const Outcome outcome = run({"rtctl",
                               "serve",
                               "--check",
                               "--listen",
                               "nowhere",
                               "--pg",
                               "host=",
                               "--redis",
                               "http://x",
                               "--cors-origin",
                               "app.example",
                               "--history",
                               folder / "file",
                               "--access-log",
                               "/nowhere/at/all.log",
                               "--tls-cert",
                               folder / "none.pem",
                               "--tls-key",
                               folder / "none.key",
                               "--jwt-key-file",
                               folder / "none.jwk",
                               "--jobs-token-file",
                               folder / "none.token"});
  INFO(outcome.out << outcome.err);
  CHECK(outcome.status == 2);
  for (const char* const line :
       {"settings   error: ", "listen     error: ", "redis      error: ", "history    error: ",
        "access-log error: ", "tls        error: ", "tokens     error: ", "jobs       error: ",
        "topics     ok: ", "runs       ok: "}) {
    INFO(line);
    CHECK(has_line(outcome.out, line));
  }
  CHECK(outcome.err.find("the configuration has ") != std::string::npos);

  const Outcome unmet =
      run({"rtctl", "serve", "--check", "--surfaces", "events,topics"}, {}, kNoRedis);
  CHECK(unmet.status == 2);
  CHECK(has_line(unmet.out, "events     error: events need a Redis"));
  CHECK(has_line(unmet.out, "runs       off: "));
  const Outcome plain = run({"rtctl", "serve", "--check"}, {}, kNoRedis);
  CHECK(plain.status == 0);
  CHECK(has_line(plain.out, "events     off: events need a Redis"));
}

TEST_CASE("serve operation: a socket of systemd is listened on by all threads",
          "[serve_operation]") {
  const Fd listener = *io::listen_on(*io::parse_address("127.0.0.1:0"), {});
  const io::Address address = *io::local_address(listener.get());
  HttpClient early(address);  // waits in the socket's queue until the service has started
  early.get("/health", "Connection: close\r\n");
  RunningTool server({"rtctl", "serve", "--listen", "127.0.0.1:1", "--connections-max", "20000"},
                     {{"LISTEN_FDS", "1"}}, RunningTool::Output::read, listener.get());
  CHECK(address_of(server).port() == address.port());
  CHECK(server.error_text().find("takes the place of --listen") != std::string::npos);
  CHECK(early.until_closed().find("HTTP/1.1 200 OK\r\n") == 0);

  std::vector<std::unique_ptr<HttpClient>> streams;
  for (int i = 0; i < 200; ++i) {
    streams.push_back(std::make_unique<HttpClient>(address));
    streams.back()->get("/v1/runs/stream");
  }
  for (const auto& stream : streams) {
    REQUIRE(stream->until(": caught up").find(": caught up") != std::string::npos);
  }
  HttpClient publisher(address);
  publisher.post("/v1/runs", R"({"id":"a"})");
  CHECK(publisher.until("position").find("HTTP/1.1 200 OK\r\n") == 0);
  for (const auto& stream : streams) {
    CHECK(stream->until("\"id\":\"a\"").find("\"id\":\"a\"") != std::string::npos);
  }
  server.signal(SIGTERM);
  CHECK(server.finish().status == 0);
  // The socket stands while the service is away: who comes now waits for the next.
  HttpClient next(address);
  CHECK(next.connected());
}

TEST_CASE("serve operation: a socket that does not listen is refused", "[serve_operation]") {
  const Fd idle(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  RunningTool server({"rtctl", "serve"}, {{"LISTEN_FDS", "1"}}, RunningTool::Output::read,
                     idle.get());
  const Outcome outcome = server.finish();
  CHECK(outcome.status == 2);
  CHECK(outcome.err.find("no listening TCP socket") != std::string::npos);
}

TEST_CASE("serve operation: systemd is told the address with its scheme", "[serve_operation]") {
  const TempFolder folder;
  run_openssl(folder.path,
              "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
              "/CN=localhost -keyout server.key -out server.pem");
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string path = folder / "notify";
  std::memcpy(name.sun_path, path.data(), path.size());
  const Fd systemd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(systemd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  RunningTool server({"rtctl", "serve", "--listen", "127.0.0.1:0", "--tls-cert",
                      folder / "server.pem", "--tls-key", folder / "server.key"},
                     {{"NOTIFY_SOCKET", path}});
  const io::Address address = address_of(server);
  char text[512];
  const ssize_t size = ::recv(systemd.get(), text, sizeof text, 0);
  REQUIRE(size > 0);
  CHECK(std::string(text, static_cast<std::size_t>(size)) ==
        "READY=1\nSTATUS=serving https://" + address.text());
}

TEST_CASE("serve operation: after SIGHUP the access log goes on in a new file",
          "[serve_operation]") {
  const TempFolder folder;
  const std::string log = folder / "access.log";
  RunningTool server(
      {"rtctl", "serve", "--listen", "127.0.0.1:0", "--access-log", log, "--log-format", "json"});
  const io::Address address = address_of(server);
  ask(address, "/health?token=secret");
  REQUIRE(appears(log, "\"path\":\"/health\""));
  std::filesystem::rename(log, log + ".1");
  server.signal(SIGHUP);
  const SystemClock clock;
  const Instant deadline = clock.now() + std::chrono::seconds(20);
  while (!std::filesystem::exists(log) && clock.now() < deadline) std::this_thread::yield();
  ask(address, "/nothing");
  REQUIRE(appears(log, "\"path\":\"/nothing\""));
  const auto line = nlohmann::json::parse(read_text(log));
  CHECK(line["status"] == 404);
  CHECK(read_text(log + ".1").find("secret") == std::string::npos);
  server.signal(SIGTERM);
  CHECK(server.finish().status == 0);
}

TEST_CASE("serve operation: a wrong password of Redis is tried again until it is right",
          "[serve_operation]") {
  const PrivateRedis redis({"--requirepass", "right"});
  const std::string at = "@127.0.0.1:" + std::to_string(redis.port());
  RunningTool server({"rtctl", "serve", "--listen", "127.0.0.1:0", "--surfaces", "events,realtime",
                      "--redis", "redis://:other" + at, "--realtime-transport", "redis"});
  const io::Address address = address_of(server);
  const auto state_of = [&](const char* surface) -> std::string {
    const std::string answer = ask(address, "/health");
    return nlohmann::json::parse(
        answer.substr(answer.find("\r\n\r\n")))["surfaces"][surface]["status"];
  };
  const auto both_are = [&](const std::string& state) {
    return state_of("events") == state && state_of("realtime") == state;
  };
  REQUIRE(eventually(std::chrono::seconds(20), [&] { return both_are("degraded"); }));
  REQUIRE(server.wait_for("WRONGPASS"));
  RedisConnection owner = *RedisConnection::connect(*parse_redis_url("redis://:right" + at), {});
  REQUIRE(owner.command({"CONFIG", "SET", "requirepass", "other"}, "mend"));
  CHECK(eventually(std::chrono::seconds(20), [&] { return both_are("ok"); }));
}

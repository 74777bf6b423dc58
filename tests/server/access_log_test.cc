// The access log: its lines (pure), and what a server writes of its requests and streams.
#include "server/access_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "base/text.h"
#include "server/http2_connection.h"
#include "server/http_client.h"
#include "server/realtime_surface.h"
#include "server/topics_server.h"

using namespace rt;
using namespace rt::server;
using namespace rt::test;
using nlohmann::json;

namespace {

struct LogFile {
  LogFile() {
    const std::string name = "rt-access-" + std::to_string(::getpid()) + ".log";
    path = (std::filesystem::temp_directory_path() / name).string();
    std::filesystem::remove(path);
  }
  ~LogFile() { std::filesystem::remove(path); }
  std::string path;

  std::string text() const {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::vector<json> lines() const {
    std::vector<json> all;
    std::istringstream text_lines(text());
    for (std::string line; std::getline(text_lines, line);) all.push_back(json::parse(line));
    return all;
  }
};

std::unique_ptr<Server> start(const Clock& clock, const std::string& path,
                              AccessFormat format = AccessFormat::json) {
  ServerOptions options;
  options.connections_max = 2'000;
  options.access_log = AccessLogOptions{path, format};
  options = with_topics(std::move(options));
  RealtimeHttp realtime;
  realtime.trusts_parameter = true;
  options.surfaces.push_back(
      realtime_parts(realtime_over_memory(make_realtime_exchange()),
                     {.http = std::move(realtime), .transport = "memory", .origin = "one"}));
  return start_server(std::move(options), clock);
}

void ask(const Server& server, const std::string& request) {
  HttpClient client(server.address());
  client.send(request);
  client.until_closed();
}

// Waits until the log has so many lines; they are written 50 ms after the fact at the latest.
std::vector<json> wait_for_lines(const LogFile& file, std::size_t count) {
  const SystemClock clock;
  const Instant deadline = clock.now() + std::chrono::seconds(20);
  while (clock.now() < deadline) {
    const std::string text = file.text();
    if (static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) >= count) break;
    std::this_thread::yield();
  }
  return file.lines();
}

AccessRecord record() {
  AccessRecord record;
  record.version = 11;
  record.surface = Surface::topics;
  record.status = 200;
  record.bytes = 12;
  record.took = std::chrono::microseconds(1'500);
  record.at = from_unix_us(1'700'000'000'123'456);
  record.peer = "127.0.0.1:5000";
  record.method = "GET";
  record.path = "/topics/t/events";
  return record;
}

const std::string kClose = " HTTP/1.1\r\nHost: t\r\nConnection: close\r\n";

}  // namespace

TEST_CASE("access log: a line has the same fields in both forms", "[server][access]") {
  AccessRecord full = record();
  full.kind = AccessRecord::Kind::end;
  full.tls = true;
  full.query = "scope=gym";
  full.principal = "gym:1";
  full.reason = "slow";
  std::string text;
  append_line(text, full, AccessFormat::key_value);
  CHECK(
      text ==
      "time=2023-11-14T22:13:20.123456Z event=end peer=127.0.0.1:5000 http=1.1 tls=yes method=GET "
      "path=/topics/t/events query=\"scope=gym\" status=200 bytes=12 ms=1.500 surface=topics "
      "principal=gym:1 reason=slow\n");
  text.clear();
  append_line(text, full, AccessFormat::json);
  const json line = json::parse(text);
  CHECK(text.back() == '\n');
  CHECK(line["event"] == "end");
  CHECK(line["status"] == 200);
  CHECK(line["bytes"] == 12);
  CHECK(line["ms"] == 1.5);
  CHECK(line["principal"] == "gym:1");
  text.clear();
  append_line(text, record(), AccessFormat::key_value);
  CHECK(text.find("tls") == std::string::npos);
  CHECK(text.find("query") == std::string::npos);
}

TEST_CASE("access log: what a stranger sends never becomes a line of its own", "[server][access]") {
  AccessRecord strange = record();
  strange.principal = "a\nevent=open \"b\" \x01\xff";
  strange.path = "/a b\"\r\n";
  for (const AccessFormat format : {AccessFormat::key_value, AccessFormat::json}) {
    std::string text;
    append_line(text, strange, format);
    CHECK(text.find('\n') == text.size() - 1);
    CHECK(text.find('\r') == std::string::npos);
    CHECK(is_valid_utf8(text));
  }
}

TEST_CASE("access log: of a query, values that are no secret are shown", "[server][access]") {
  CHECK(shown_query("") == "");
  CHECK(shown_query("filter=%7B%7D&limit=5") == "filter=%7B%7D&limit=5");
  CHECK(shown_query("token=abc&scope=gym") == "token=*&scope=gym");
  CHECK(shown_query("access_token=a=b&&x") == "access_token=*&*&*");
  CHECK(shown_query("eyJhbGciOiJIUzI1NiJ9.e30.x") == "*");
  CHECK(shown_query("Filter=1&events") == "Filter=*&events");
  CHECK(shown_query("filter=" + std::string(5'000, 'x')).size() == 515);
  CHECK(shown_path("/a/b?token=x") == "/a/b");
  CHECK(shown_path("/" + std::string(5'000, 'x')).size() == kPathBytesMax + 3);
}

TEST_CASE("access log: a request is one line, a stream one at its begin and one at its end",
          "[server][access]") {
  const SystemClock clock;
  const LogFile file;
  const auto server = start(clock, file.path);
  // Lines of two I/O threads may change places within 50 ms.
  ask(*server, "GET /health" + kClose + "\r\n");
  wait_for_lines(file, 1);
  ask(*server, "POST /v1/runs" + kClose + "Content-Length: 10\r\n\r\n{\"id\":\"a\"}");
  wait_for_lines(file, 2);
  ask(*server, "GET /nothing?token=secret" + kClose + "\r\n");
  wait_for_lines(file, 3);
  ask(*server, "nonsense\r\n\r\n");
  wait_for_lines(file, 4);
  {
    HttpClient stream(server->address());
    stream.get("/realtime?user=ann&events=t");
    stream.until("\"connected\"");
    wait_for_lines(file, 5);
  }
  const auto lines = wait_for_lines(file, 6);
  REQUIRE(lines.size() == 6);
  CHECK(lines[0]["event"] == "request");
  CHECK(lines[0]["method"] == "GET");
  CHECK(lines[0]["path"] == "/health");
  CHECK(lines[0]["status"] == 200);
  CHECK(lines[0]["bytes"] > 100);
  CHECK(lines[0]["surface"] == "general");
  CHECK(lines[0]["http"] == "1.1");
  CHECK(lines[0]["peer"].get<std::string>().find("127.0.0.1:") == 0);
  CHECK(lines[1]["surface"] == "runs");
  CHECK(lines[1]["status"] == 200);
  CHECK(lines[1]["ms"] > 0);
  CHECK(lines[2]["status"] == 404);
  CHECK(lines[2]["query"] == "token=*");
  CHECK(lines[3]["status"] == 400);
  CHECK(lines[3]["path"] == "-");
  for (const std::size_t i : {4U, 5U}) {
    CHECK(lines[i]["surface"] == "realtime");
    CHECK(lines[i]["principal"] == "ann");
    CHECK(lines[i]["query"] == "user=ann&events=t");
  }
  CHECK(lines[4]["event"] == "open");
  CHECK(lines[4]["bytes"] == 0);
  CHECK(lines[5]["event"] == "end");
  CHECK(lines[5]["bytes"] > 10);
  CHECK(lines[5]["reason"] == "client");
  CHECK(file.text().find("secret") == std::string::npos);
  CHECK(server->counters().access_lines == 6);
  CHECK(server->metrics().find("rt_access_log_lines_total 6\n") != std::string::npos);
}

TEST_CASE("access log: over HTTP/2 each stream has its lines", "[server][access][http2]") {
  const SystemClock clock;
  const LogFile file;
  const auto server = start(clock, file.path);
  Http2Connection connection(server->address());
  const auto health = connection.get("/health");
  REQUIRE(connection.until([&] { return connection.client.answer(health).closed; }));
  const auto stream = connection.get("/v1/runs/stream");
  REQUIRE(connection.until_body(stream, ": caught up"));
  wait_for_lines(file, 2);
  connection.client.cancel(stream);
  connection.flush();
  const auto lines = wait_for_lines(file, 3);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0]["http"] == "2");
  CHECK(lines[0]["bytes"] == connection.client.answer(health).body.size());
  CHECK(lines[1]["event"] == "open");
  CHECK(lines[2]["event"] == "end");
  CHECK(lines[2]["bytes"] == connection.client.answer(stream).body.size());
  CHECK(lines[2]["peer"] == lines[0]["peer"]);
}

TEST_CASE("access log: streams that stand when the server stops end with it", "[server][access]") {
  const SystemClock clock;
  const LogFile file;
  const auto server = start(clock, file.path);
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(std::make_unique<HttpClient>(server->address()));
    clients.back()->get("/topics/t/events");
    clients.back()->until(": listening");
  }
  server->stop();
  const auto lines = file.lines();
  REQUIRE(lines.size() == 400);
  const auto is_shut = [](const json& line) { return line.value("reason", "") == "shutdown"; };
  CHECK(std::count_if(lines.begin(), lines.end(), is_shut) == 200);
}

TEST_CASE("access log: after reopen() a new file is written", "[server][access]") {
  const SystemClock clock;
  const LogFile file;
  const std::string old = file.path + ".1";
  const auto server = start(clock, file.path, AccessFormat::key_value);
  ask(*server, "GET /health" + kClose + "\r\n");
  server->stop();
  CHECK(file.text().find("path=/health") != std::string::npos);
  const auto next = start(clock, file.path, AccessFormat::key_value);
  std::filesystem::rename(file.path, old);
  next->reopen_access_log();
  const Instant deadline = clock.now() + std::chrono::seconds(20);
  while (!std::filesystem::exists(file.path) && clock.now() < deadline) std::this_thread::yield();
  ask(*next, "GET /nothing" + kClose + "\r\n");
  next->stop();
  CHECK(file.text().find("path=/nothing") != std::string::npos);
  std::filesystem::remove(old);
}

TEST_CASE("access log: a reader that stands still costs lines, which are counted, and no request",
          "[server][access]") {
  const SystemClock clock;
  const LogFile pipe;
  REQUIRE(::mkfifo(pipe.path.c_str(), 0600) == 0);
  const Fd reader(::open(pipe.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const auto server = start(clock, pipe.path);
  // A pipe holds 64 KiB, a line has 200 bytes.
  std::uint64_t asked = 0;
  while (server->counters().access_lines_lost == 0 && asked < 50'000) {
    ask(*server, "GET /health" + kClose + "\r\n");
    ++asked;
  }
  CHECK(server->counters().access_lines_lost > 0);
  ask(*server, "GET /health" + kClose + "\r\n");
  server->stop();
}

TEST_CASE("access log: a file that cannot be opened stops the start", "[server][access]") {
  const SystemClock clock;
  ServerOptions options;
  options.listen = *io::parse_address("127.0.0.1:0");
  options.access_log = AccessLogOptions{"/nowhere/at/all.log", AccessFormat::json};
  const auto server = Server::start(std::move(options), clock);
  REQUIRE_FALSE(server.has_value());
  CHECK(server.error().code == Code::usage);
}

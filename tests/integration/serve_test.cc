// rtctl serve as a process, on a real PostgreSQL: nothing lost and nothing twice, whatever dies;
// and one clear line for what cannot work.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "integration/private_postgres.h"
#include "integration/running_tool.h"
#include "io/socket.h"
#include "server/http_client.h"

using namespace rt::test;

namespace {

// A folder that is gone when the test is.
struct TemporaryFolder {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               ("rt-serve-" + std::to_string(::getpid()) + "-" +
                                std::to_string(reinterpret_cast<std::uintptr_t>(this)));
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
};

std::unique_ptr<RunningTool> serve(const PrivatePostgres& postgres, const std::string& listen,
                                   std::vector<std::string> more = {}) {
  std::vector<std::string> words = {"rtctl", "serve", "--listen", listen, "--pg", postgres.dsn()};
  words.insert(words.end(), more.begin(), more.end());
  return std::make_unique<RunningTool>(std::move(words));
}

// What the server says it listens on: "127.0.0.1:PORT".
std::string address_of(RunningTool& server) {
  const std::string marker = "rtctl: serving http://";
  REQUIRE(server.wait_for("streaming from"));
  const std::string& text = server.error_text();
  const std::size_t at = text.find(marker) + marker.size();
  return text.substr(at, text.find(' ', at) - at);
}

void set_up(const PrivatePostgres& postgres) {
  REQUIRE(run({"rtctl", "setup", "--pg", postgres.dsn()}).status == 0);
}

// The values of data.n in the order in which they arrived.
std::vector<int> numbers_seen(const std::string& ndjson) {
  std::vector<int> numbers;
  std::istringstream lines(ndjson);
  for (std::string line; std::getline(lines, line);) {
    const auto record = nlohmann::json::parse(line);
    if (record["type"] != "event") continue;
    const auto row = nlohmann::json::parse(record["data"].get<std::string>());
    if (row.contains("data")) numbers.push_back(row["data"]["n"]);
  }
  return numbers;
}

std::vector<int> up_to(int last) {
  std::vector<int> numbers;
  for (int n = 0; n <= last; ++n) numbers.push_back(n);
  return numbers;
}

class Writer {
 public:
  explicit Writer(const PrivatePostgres& postgres) : connection_(postgres.connect()) {
    must("INSERT INTO task_run (id, data) VALUES ('r', '{\"n\": 0}')");
  }
  void set(int n) {
    must("UPDATE task_run SET data = '{\"n\": " + std::to_string(n) + "}' WHERE id = 'r'");
  }

 private:
  void must(const std::string& sql) { REQUIRE(connection_.exec(sql, "change a row")); }
  rt::Connection connection_;
};

}  // namespace

TEST_CASE(
    "serve: killed in mid-run and started again, every subscriber sees each change exactly once",
    "[serve]") {
  constexpr int kChanges = 300;
  PrivatePostgres postgres;
  set_up(postgres);
  Writer writer(postgres);
  TemporaryFolder history;
  auto server = serve(postgres, "127.0.0.1:0", {"--history", history.path.string()});
  const std::string address = address_of(*server);
  std::vector<std::unique_ptr<RunningTool>> subscribers;
  for (int i = 0; i < 3; ++i) {
    subscribers.push_back(std::make_unique<RunningTool>(
        std::vector<std::string>{"rtctl", "sub", "runs", "--run", "r", "--url", "http://" + address,
                                 "--format", "ndjson", "--count", std::to_string(kChanges + 1)}));
    REQUIRE(subscribers.back()->wait_for("\"initial\""));
  }
  for (int n = 1; n <= kChanges; ++n) {
    writer.set(n);
    if (n == 100 || n == 200) {
      server->signal(SIGKILL);
      server->finish();
      // Changes go on while it is down.
      for (int more = 0; more < 20; ++more) writer.set(++n);
      server = serve(postgres, address, {"--history", history.path.string()});
      address_of(*server);
    }
  }
  for (auto& subscriber : subscribers) {
    const Outcome outcome = subscriber->finish();
    CAPTURE(outcome.err);
    CHECK(outcome.status == 0);
    CHECK(numbers_seen(outcome.out) == up_to(kChanges));
  }
}

TEST_CASE("serve: PostgreSQL crashes and comes back, the stream goes on without a seam",
          "[serve]") {
  constexpr int kChanges = 60;
  PrivatePostgres postgres(PrivatePostgres::Settings{{"fsync", "on"}});
  set_up(postgres);
  TemporaryFolder history;
  std::unique_ptr<RunningTool> server;
  std::unique_ptr<RunningTool> subscriber;
  {
    Writer writer(postgres);
    server = serve(postgres, "127.0.0.1:0", {"--history", history.path.string()});
    subscriber = std::make_unique<RunningTool>(
        std::vector<std::string>{"rtctl", "sub", "runs", "--url", "http://" + address_of(*server),
                                 "--format", "ndjson", "--count", std::to_string(kChanges + 1)});
    REQUIRE(subscriber->wait_for("\"initial\""));
    for (int n = 1; n <= kChanges / 2; ++n) writer.set(n);
  }
  postgres.kill_9();
  postgres.start();
  rt::Connection connection = postgres.connect();
  for (int n = kChanges / 2 + 1; n <= kChanges; ++n) {
    REQUIRE(connection.exec(
        "UPDATE task_run SET data = '{\"n\": " + std::to_string(n) + "}' WHERE id = 'r'",
        "change a row"));
  }
  const Outcome outcome = subscriber->finish();
  CHECK(outcome.status == 0);
  CHECK(numbers_seen(outcome.out) == up_to(kChanges));
}

// The frames with an id, in order.
std::vector<std::string> frames_in(const std::string& stream) {
  std::vector<std::string> frames;
  for (auto at = stream.find("id: "); at != std::string::npos; at = stream.find("\n\nid: ", at)) {
    if (stream[at] == '\n') at += 2;
    frames.push_back(stream.substr(at, stream.find("\n\n", at) - at));
  }
  return frames;
}

TEST_CASE("serve: a position of one instance is where to go on at any other", "[serve]") {
  PrivatePostgres postgres;
  set_up(postgres);
  Writer writer(postgres);
  const auto one = serve(postgres, "127.0.0.1:0", {"--slot", "slot_one"});
  const auto other = serve(postgres, "127.0.0.1:0", {"--slot", "slot_other"});
  const auto address = *rt::io::parse_address(address_of(*one));
  const auto other_address = *rt::io::parse_address(address_of(*other));
  HttpClient client(address);
  client.get("/v1/runs/stream");
  client.until("event: initial");
  constexpr int kChanges = 20;
  for (int n = 1; n <= kChanges; ++n) writer.set(n);
  const auto frames_of = [](HttpClient& from) {
    REQUIRE(from.until_true([&] {
      const std::string& text = from.received();
      return text.find("{\"n\":20}") != std::string::npos && text.ends_with("\n\n");
    }));
    return frames_in(from.received());
  };
  const std::vector<std::string> frames = frames_of(client);
  REQUIRE(frames.size() == kChanges + 1);
  for (const std::size_t seen : {1U, 10U, 19U}) {
    CAPTURE(seen);
    HttpClient again(other_address);
    const std::string& frame = frames[seen];
    again.get("/v1/runs/stream",
              "Last-Event-ID: " + frame.substr(4, frame.find('\n') - 4) + "\r\n");
    const std::vector<std::string> rest(frames.begin() + static_cast<std::ptrdiff_t>(seen) + 1,
                                        frames.end());
    CHECK(frames_of(again) == rest);
  }
}

TEST_CASE("serve: without a history a restart sends the current state, and says so", "[serve]") {
  PrivatePostgres postgres;
  set_up(postgres);
  Writer writer(postgres);
  auto server = serve(postgres, "127.0.0.1:0");
  const std::string address = address_of(*server);
  RunningTool subscriber(
      {"rtctl", "sub", "runs", "--url", "http://" + address, "--format", "ndjson", "--count", "3"});
  REQUIRE(subscriber.wait_for("\"initial\""));
  server->signal(SIGTERM);
  CHECK(server->finish().status == 0);
  writer.set(1);
  server = serve(postgres, address);
  address_of(*server);
  REQUIRE(subscriber.wait_for("\\\"n\\\":1"));
  writer.set(2);
  const Outcome outcome = subscriber.finish();
  CHECK(numbers_seen(outcome.out) == std::vector<int>{0, 1, 2});
}

TEST_CASE("serve: a large set of rows arrives whole while rows change", "[serve]") {
  PrivatePostgres postgres;
  set_up(postgres);
  postgres.exec(
      "INSERT INTO task_run (id, data) SELECT 'r' || n, jsonb_build_object('n', 0, 'pad', "
      "repeat('x', 500)) "
      "FROM generate_series(1, 5000) n");
  auto server = serve(postgres, "127.0.0.1:0");
  RunningTool subscriber({"rtctl", "sub", "runs", "--url", "http://" + address_of(*server),
                          "--format", "ndjson", "--count", "5200"});
  REQUIRE(subscriber.wait_for("\"initial\""));
  postgres.exec(
      "UPDATE task_run SET status = 'DONE' WHERE id IN (SELECT 'r' || generate_series(1, 200))");
  postgres.exec("INSERT INTO task_run (id) SELECT 's' || n FROM generate_series(1, 200) n");
  const Outcome outcome = subscriber.finish();
  CHECK(outcome.status == 0);
  std::map<std::string, int> initials;
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) {
    const auto record = nlohmann::json::parse(line);
    if (record["event"] != "initial") continue;
    ++initials[nlohmann::json::parse(record["data"].get<std::string>())["id"].get<std::string>()];
  }
  for (int n = 1; n <= 5000; ++n) {
    if (initials["r" + std::to_string(n)] != 1) FAIL("run r" << n << " has no single initial");
  }
}

TEST_CASE("serve: what cannot work is one line, a hint and the right status", "[serve]") {
  const auto outcome_of = [](std::vector<std::string> words) {
    Outcome outcome = run(std::move(words));
    CAPTURE(outcome.err);
    CHECK(outcome.out.empty());
    // Of the log there may be lines before it.
    CHECK(("\n" + outcome.err).find("\nrtctl: ") != std::string::npos);
    return outcome;
  };
  SECTION("an unknown flag, with the one that was meant") {
    const Outcome outcome = outcome_of({"rtctl", "serve", "--lisen", ":1"});
    CHECK(outcome.status == 2);
    CHECK(outcome.err.find("--listen") != std::string::npos);
  }
  SECTION("a database that cannot be reached") {
    CHECK(outcome_of({"rtctl", "serve", "--pg", "host=127.0.0.1 port=1"}).status == 3);
  }
  SECTION("a slot in use, a port in use") {
    PrivatePostgres postgres;
    set_up(postgres);
    auto server = serve(postgres, "127.0.0.1:0");
    const std::string address = address_of(*server);
    const Outcome port = outcome_of({"rtctl", "serve", "--listen", address});
    CHECK(port.status == 5);
    CHECK(port.err.find("cannot listen on " + address) != std::string::npos);
    RunningTool second({"rtctl", "serve", "--listen", "127.0.0.1:0", "--pg", postgres.dsn()});
    const Outcome slot = second.finish();
    CHECK(slot.status == 4);
    CHECK(slot.err.find("is in use by process") != std::string::npos);
  }
}

TEST_CASE("serve: a surface whose needs are not met answers 503 with its reason, the others go on",
          "[serve]") {
  const auto unmet = [](const std::string& dsn) {
    RunningTool server({"rtctl", "serve", "--listen", "127.0.0.1:0", "--pg", dsn});
    REQUIRE(server.wait_for("rtctl: serving"));
    const std::string marker = "rtctl: serving http://";
    const std::string& text = server.error_text();
    const std::size_t at = text.find(marker) + marker.size();
    const auto address = *rt::io::parse_address(text.substr(at, text.find(' ', at) - at));
    HttpClient health(address);
    health.get("/health", "Connection: close\r\n");
    const std::string& answer = health.until_closed();
    const auto json = nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n")));
    CHECK(json["status"] == "degraded");
    CHECK(json["surfaces"]["runs"]["status"] == "unavailable");
    CHECK(json["surfaces"]["topics"]["status"] != "unavailable");
    HttpClient runs(address);
    runs.get("/v1/runs/stream");
    const std::string& refusal = runs.until_closed();
    CHECK(refusal.find("HTTP/1.1 503 ") == 0);
    const std::string reason = json["surfaces"]["runs"]["reason"];
    CHECK(refusal.find(reason) != std::string::npos);
    // The announcement names apart what is not served.
    REQUIRE(server.wait_for("\n  without:  runs, answered 503: " + reason + "\n"));
    const std::string served = text.substr(at, text.find('\n', at) - at);
    CHECK(served.ends_with(" (topics, realtime; from PostgreSQL)"));
    return reason;
  };
  SECTION("wal_level is not logical") {
    PrivatePostgres postgres(PrivatePostgres::Settings{{"wal_level", "replica"}});
    postgres.exec("CREATE TABLE task_run (id text PRIMARY KEY)");
    const std::string reason = unmet(postgres.dsn());
    CHECK(reason.find("ALTER SYSTEM SET wal_level = logical") != std::string::npos);
  }
  SECTION("no table; a role without replication") {
    PrivatePostgres postgres;
    CHECK(unmet(postgres.dsn()).find("rtctl setup") != std::string::npos);
    set_up(postgres);
    postgres.exec("CREATE ROLE plain LOGIN");
    CHECK(unmet(postgres.dsn("user=plain")).find("REPLICATION") != std::string::npos);
  }
}

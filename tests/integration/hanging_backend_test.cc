// A server that is told to end while its database or its Redis stands still (a stopped process, a
// machine that is suspended): connections are there, answers do not come. It ends all the same.
#include <catch2/catch.hpp>
#include <csignal>

#include "integration/events_server.h"
#include "integration/job_tables.h"
#include "integration/patience.h"
#include "integration/private_postgres.h"
#include "integration/private_redis.h"
#include "integration/running_tool.h"
#include "io/socket.h"
#include "server/http_client.h"

namespace rt::test {
namespace {

using namespace std::chrono_literals;

// --drain is 1 s in these tests, and two more are allowed; the rest is for a busy machine.
constexpr auto kEndsWithin = 5s;

// Each is asked, and none of them is answered.
std::vector<std::unique_ptr<HttpClient>> ask_all(const io::Address& server,
                                                 const std::vector<std::string>& requests) {
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (const std::string& request : requests) {
    clients.push_back(std::make_unique<HttpClient>(server));
    const std::string body = request.starts_with("POST") ? R"({"type":"t","data":1})" : "";
    clients.back()->send(request + " HTTP/1.1\r\nHost: t\r\nContent-Length: " +
                         std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  return clients;
}

TEST_CASE("hanging backend: a PostgreSQL that stands still holds nothing up beyond --drain",
          "[hanging_backend]") {
  PrivatePostgres postgres;
  postgres.exec("create table task_run (id text primary key, status text)");
  make_job_tables(postgres);
  const EventsServer server({"--pg", postgres.dsn(), "--realtime-transport", "postgres", "--drain",
                             "1s", "--notify-queue-poll", "100ms"},
                            "127.0.0.1:0", "runs,topics,realtime,jobs");
  REQUIRE(eventually(20s, [&] {
    const auto health = server.health();
    return health["status"] == "ok" && health["warm"] == true;
  }));
  HttpClient subscriber(server.address());
  subscriber.get("/topics/t/events");
  subscriber.until(": listening t\n\n");
  postgres.freeze();
  const auto unanswered = ask_all(server.address(), {"POST /topics/t/events", "POST /realtime",
                                                     "POST /jobs/mail", "GET /jobs/nobody/stream"});
  // All of them have been taken: this one came after them, and there is one subscriber more.
  REQUIRE(eventually(10s, [&] { return server.health()["subscribers"] == 2; }));
  RunningTool& tool = server.tool();
  const Duration took = time_of([&] {
    tool.signal(SIGTERM);
    CHECK(subscriber.until_closed().ends_with(": server shutting down\n\n"));
    const Outcome end = tool.finish();
    INFO(end.err);
    CHECK(end.status == 0);
    CHECK(end.err.find("\"not everything was drained\" took_s=1.") != std::string::npos);
    CHECK(end.err.find("left behind") == std::string::npos);
  });
  CHECK(took < kEndsWithin);
}

TEST_CASE("hanging backend: a Redis that stands still holds nothing up beyond --drain",
          "[hanging_backend]") {
  PrivateRedis redis;
  const EventsServer server(
      {"--redis", redis.url(), "--realtime-transport", "redis-stream", "--drain", "1s"},
      "127.0.0.1:0", "events,realtime");
  REQUIRE(eventually(20s, [&] { return server.health()["status"] == "ok"; }));
  const EventsClient subscriber(server, "gym", 1);
  redis.freeze();
  const auto unanswered =
      ask_all(server.address(), {"POST /realtime", "GET /events?scope=a&scope_id=2"});
  HttpClient publisher(server.address());
  publisher.post("/events", R"({"channel":"gym:1:a","event_type":"x","data":1})");
  REQUIRE(eventually(10s, [&] { return server.health()["subscribers"] == 2; }));
  RunningTool& tool = server.tool();
  const Duration took = time_of([&] {
    tool.signal(SIGTERM);
    const Outcome end = tool.finish();
    INFO(end.err);
    CHECK(end.status == 0);
    CHECK(end.err.find("left behind") == std::string::npos);
  });
  CHECK(took < kEndsWithin);
}

TEST_CASE("hanging backend: SIGTERM ends a server that still waits for its database at the start",
          "[hanging_backend]") {
  // What a stopped PostgreSQL looks like from here: the kernel takes the connection.
  const Fd database = *io::listen_on(*io::parse_address("127.0.0.1:0"), {});
  const std::string port = io::local_address(database.get())->text().substr(10);
  RunningTool tool({"rtctl", "serve", "--listen", "127.0.0.1:0", "--pg",
                    "host=127.0.0.1 user=postgres dbname=postgres port=" + port});
  pollfd waits{database.get(), POLLIN, 0};
  REQUIRE(::poll(&waits, 1, 20'000) == 1);  // it has come
  const Duration took = time_of([&] {
    tool.signal(SIGTERM);
    const Outcome end = tool.finish();
    INFO(end.err);
    CHECK(end.status == 130);
    CHECK(end.err.find("rtctl: cannot connect to PostgreSQL: stopped\n") != std::string::npos);
  });
  CHECK(took < kEndsWithin);
}

TEST_CASE("hanging backend: asking it to cancel a statement takes a second at most",
          "[hanging_backend]") {
  PrivatePostgres postgres;
  Connection connection = postgres.connect();
  postgres.freeze();
  CHECK(time_of([&] { connection.cancel_query(); }) < kEndsWithin);
}

TEST_CASE("hanging backend: an answer that does not come in time is an error to try again",
          "[hanging_backend]") {
  const PrivatePostgres postgres;
  auto connection = Connection::connect(postgres.dsn(), {.answer_timeout = 200ms});
  REQUIRE(connection);
  CHECK(connection->query("select 1", "cannot ask"));
  const auto rows = connection->query("select pg_sleep(60)", "cannot sleep");
  REQUIRE_FALSE(rows);
  CHECK(rows.error().code == Code::unreachable);
  CHECK(rows.error().text.find("cannot sleep on 127.0.0.1:") == 0);
  CHECK(rows.error().text.ends_with(": no answer in time"));
}

}  // namespace
}  // namespace rt::test

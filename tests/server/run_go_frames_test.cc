#include "server/run_go_frames.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "server/http_client.h"
#include "server/run_changes.h"
#include "server/run_stream.h"
#include "server/server.h"

using namespace rt;
using namespace rt::server;
using rt::test::HttpClient;
using rt::test::RunStream;

namespace {

struct Fixture {
  RunStore store;
  RunGoFrames go;
  RunChanges changes{"task_run", store, &go};
  std::vector<EventRef> events;

  void take(const RecordBatch& batch) {
    const RunChanges::Listener listener{
        [this](EventRef event) { events.push_back(std::move(event)); }, [](Position) {}};
    for (std::size_t i = 0; i < batch.size(); ++i) changes.take(batch[i], listener);
  }
  std::string frame(std::size_t event, std::string_view filter = "{}") const {
    return std::string(events[event]->frame_for(*RunFilter::parse(filter, TagsMatch::any)));
  }
};

constexpr const char* kYear1 =
    "\"updated_at\":\"0001-01-01T00:00:00Z\",\"created_at\":\"0001-01-01T00:00:00Z\"";

std::unique_ptr<Server> start(const SystemClock& clock) {
  ServerOptions options;
  options.listen = *io::parse_address("127.0.0.1:0");
  options.connections_max = 1;  // a shard takes some hundred all the same
  options.accepts_publish = true;
  options.compat_go = true;
  auto server = Server::start(std::move(options), clock);
  if (!server) FAIL(server.error().text);
  return std::move(*server);
}

void publish(const Server& server, std::string_view row) {
  HttpClient client(server.address());
  client.post("/v1/runs", row);
  REQUIRE(client.until("}\n").find("HTTP/1.1 200 OK") == 0);
}

}  // namespace

TEST_CASE("compat go: every change is a delta with the whole run and the next number",
          "[server][compat]") {
  Fixture f;
  RunStream stream;
  stream.insert_at(0x10, {.id = "a", .tags = "{x,\"<y> z\"}"});
  stream.update_at(0x20, {.id = "a"}, {.id = "a", .status = "DONE"});
  f.take(stream.batch());
  REQUIRE(f.events.size() == 2);
  CHECK(f.frame(0) ==
        "id: 1\nevent: delta\ndata: {\"id\":\"a\",\"env_id\":\"e\",\"tags\":[\"x\",\"<y> z\"],"
        "\"status\":\"NEW\"," +
            std::string(kYear1) +
            ",\"seq\":1,\"data\":{\"env_id\":\"e\",\"id\":\"a\",\"status\":\"NEW\","
            "\"tags\":\"{x,\\\"<y> z\\\"}\"}}\n\n");
  CHECK(f.frame(1) ==
        "id: 2\nevent: delta\ndata: {\"id\":\"a\",\"env_id\":\"e\",\"tags\":[],"
        "\"status\":\"DONE\"," +
            std::string(kYear1) +
            ",\"seq\":2,\"data\":{\"env_id\":\"e\",\"id\":\"a\",\"status\":\"DONE\","
            "\"tags\":\"{}\"}}\n\n");
}

TEST_CASE("compat go: a deleted run is one whose status is deleted", "[server][compat]") {
  Fixture f;
  RunStream stream;
  stream.insert_at(0x10, {.id = "a"});
  stream.begin(0x20), stream.remove({.id = "a"}), stream.commit(0x20);
  f.take(stream.batch());
  REQUIRE(f.events.size() == 2);
  CHECK(f.frame(1) ==
        "id: 2\nevent: delta\ndata: {\"id\":\"a\",\"env_id\":\"e\",\"tags\":[],"
        "\"status\":\"deleted\"," +
            std::string(kYear1) +
            ",\"seq\":2,\"data\":{\"env_id\":\"e\",\"id\":\"a\",\"status\":\"NEW\","
            "\"tags\":\"{}\"}}\n\n");
}

TEST_CASE("compat go: only runs that match now are sent, as deltas also when they begin to",
          "[server][compat]") {
  Fixture f;
  RunStream stream;
  stream.insert_at(0x10, {.id = "a", .tags = "{x}"});
  stream.update_at(0x20, {.id = "a", .tags = "{x}"}, {.id = "a", .tags = "{y}"});
  f.take(stream.batch());
  REQUIRE(f.events.size() == 2);
  CHECK(f.frame(1, R"({"tags":["x"]})").empty());
  CHECK(f.frame(1, R"({"tags":["y"]})").find("id: 2\nevent: delta\ndata: {\"id\":\"a\"") == 0);
}

TEST_CASE("compat go: what is NULL, absent or no time is null, zero or left out",
          "[server][compat]") {
  const std::array<pgoutput::Column, 6> columns = {{{1, "id", 2950, -1},
                                                    {0, "runtime_environment_id", 2950, -1},
                                                    {0, "tags", 25, -1},
                                                    {0, "created_at", 1184, -1},
                                                    {0, "updated_at", 1114, -1},
                                                    {0, "status", 25, -1}}};
  std::string relation;
  pgoutput::append_relation(relation, 7, "public", "task_run", 'f', columns);
  const auto decoded = pgoutput::decode(relation);
  const auto table = RunTable::describe(std::get<pgoutput::Relation>(decoded.message));
  REQUIRE(table);
  using pgoutput::ValueKind;
  const auto frame = [&](const std::array<pgoutput::Value, 6>& values) {
    std::string row;
    pgoutput::append_tuple(row, values);
    RunGoFrames go;
    go.number(3);
    std::string out;
    go.append_initial(out, **table, *pgoutput::decode_tuple(row), 3);
    return out;
  };
  const pgoutput::Value null{ValueKind::null, {}};
  CHECK(frame({null, null, null, null, null, null}) ==
        "id: 1\nevent: initial\ndata: {\"id\":\"\",\"env_id\":\"00000000-0000-0000-0000-"
        "000000000000\",\"tags\":null,\"status\":\"\"," +
            std::string(kYear1) + ",\"seq\":1}\n\n");
  CHECK(frame({{{ValueKind::text, "i"},
                {ValueKind::text, "e"},
                {ValueKind::text, "one"},
                {ValueKind::text, "2025-06-01 02:00:00+02"},
                {ValueKind::text, "2025-06-01 00:00:00.1205"},
                null}}) ==
        "id: 1\nevent: initial\ndata: {\"id\":\"i\",\"env_id\":\"e\",\"tags\":[\"one\"],"
        "\"status\":\"\",\"updated_at\":\"2025-06-01T00:00:00.1205Z\",\"created_at\":"
        "\"2025-06-01T00:00:00Z\",\"seq\":1,\"data\":{\"created_at\":\"2025-06-01 "
        "02:00:00+02\",\"id\":\"i\",\"runtime_environment_id\":\"e\",\"tags\":\"one\","
        "\"updated_at\":\"2025-06-01 00:00:00.1205\"}}\n\n");
}

TEST_CASE("compat go: an initial carries the run's last number; headers are the Go service's",
          "[server][compat][http]") {
  SystemClock clock;
  const auto server = start(clock);
  publish(*server, R"({"id":"a"})");
  publish(*server, R"({"id":"b"})");
  publish(*server, R"({"id":"a","status":"DONE"})");
  HttpClient client(server->address());
  client.get("/v1/runs/stream?filter=%7B%22run_id%22%3A%22a%22%7D");
  const std::string text = client.until(": caught up\n\n");
  CHECK(text.substr(0, text.find("\r\n\r\n") + 4) == kGoStreamHead);
  CHECK(text.find("\r\n\r\nid: 3\nevent: initial\ndata: {\"id\":\"a\",") != std::string::npos);
  CHECK(text.find("\"status\":\"DONE\"") != std::string::npos);
  CHECK(text.find(",\"seq\":3,") != std::string::npos);
  publish(*server, R"({"id":"a","deleted":true})");
  client.until("\"seq\":4");
  CHECK(client.until("\n\n: ").find("id: 4\nevent: delta\ndata: ") != std::string::npos);
}

TEST_CASE("compat go: any Last-Event-ID is answered with a comment and the current state",
          "[server][compat][http]") {
  SystemClock clock;
  const auto server = start(clock);
  publish(*server, R"({"id":"a"})");
  for (const char* id : {"1", "0006000000000000-00000000"}) {
    CAPTURE(id);
    HttpClient client(server->address());
    client.get("/v1/runs/stream", std::string("Last-Event-Id: ") + id + "\r\n");
    const std::string text = client.until(": caught up\n\n");
    CHECK(text.find("sending the current state\n\nid: 1\nevent: initial\n") != std::string::npos);
  }
}

TEST_CASE("compat go: refusals have the Go service's texts", "[server][compat][http]") {
  SystemClock clock;
  const auto server = start(clock);
  HttpClient filter(server->address());
  filter.get("/v1/runs/stream?filter=%7B%22tags%22%3A7%7D");
  const std::string refused = filter.until_closed();
  CHECK(refused.find("HTTP/1.1 400 ") == 0);
  CHECK(refused.ends_with("\r\n\r\nInvalid filter\n"));
  HttpClient method(server->address());
  method.send("POST /v1/runs/stream HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n");
  const std::string other = method.until_closed();
  CHECK(other.find("HTTP/1.1 405 ") == 0);
  CHECK(other.ends_with("\r\n\r\nMethod not allowed\n"));
  HttpClient health(server->address());
  health.get("/health");
  const std::string answer = health.until("}\n");
  const auto json = nlohmann::json::parse(answer.substr(answer.find('{')));
  CHECK(json["status"] == "ok");
  CHECK(json.contains("time"));
  CHECK(json["warm"] == true);
}

TEST_CASE("compat go: beyond the limit of connections the answer is 429",
          "[server][compat][http]") {
  SystemClock clock;
  const auto server = start(clock);
  std::vector<std::unique_ptr<HttpClient>> open;
  std::string answer;
  const std::size_t enough = 300 * server->shard_count();
  while (answer.empty() && open.size() < enough) {
    open.push_back(std::make_unique<HttpClient>(server->address()));
    open.back()->get("/health");
    const std::string& text = open.back()->until("\n");
    if (text.find("HTTP/1.1 200 ") != 0) answer = open.back()->until_closed();
  }
  CHECK(answer.find("HTTP/1.1 429 Too Many Requests\r\n") == 0);
  CHECK(answer.ends_with("\r\n\r\nToo many concurrent connections\n"));
}

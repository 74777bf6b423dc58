// Row changes as a source of rtctl, on a real PostgreSQL: each once, in order, whatever dies.
#include "rtctl/wal_stream.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/position.h"
#include "integration/patience.h"
#include "integration/private_postgres.h"
#include "integration/taker_log.h"

namespace rt::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using rtctl::Since;
using rtctl::WalStreamOptions;
using Lines = std::vector<std::string>;

void make_orders(const PrivatePostgres& postgres) {
  postgres.exec(
      "CREATE TABLE orders (id int PRIMARY KEY, note text, doc jsonb);"
      "CREATE TABLE other (id int PRIMARY KEY);"
      "CREATE PUBLICATION p FOR TABLE orders, other");
}

WalStreamOptions follow(const PrivatePostgres& postgres, std::string slot = {}) {
  WalStreamOptions options;
  options.dsn = postgres.dsn();
  options.publication = "p";
  options.slot = std::move(slot);
  return options;
}

std::unique_ptr<rtctl::EventStream> open(const WalStreamOptions& options) {
  auto stream = rtctl::open_wal_stream(options);
  REQUIRE(stream);
  return std::move(*stream);
}

void insert(const PrivatePostgres& postgres, int first, int last) {
  postgres.exec("INSERT INTO orders SELECT n, 'x' FROM generate_series(" + std::to_string(first) +
                ", " + std::to_string(last) + ") n");
}

std::vector<int> ids_of(const std::vector<TakerLog::Event>& events) {
  std::vector<int> ids;
  for (const auto& event : events) ids.push_back(json::parse(event.data)["new"]["id"].get<int>());
  return ids;
}

std::vector<int> count(int first, int last) {
  std::vector<int> all;
  for (int i = first; i <= last; ++i) all.push_back(i);
  return all;
}

TEST_CASE("wal stream: each kind of change is one event with typed values", "[wal_stream]") {
  const PrivatePostgres postgres;
  make_orders(postgres);
  TakerLog log(open(follow(postgres)));
  REQUIRE(log.wait_for("caught up"));
  postgres.exec("INSERT INTO orders VALUES (1, 'Grüße 🌍', '{\"a\": [1, 2]}')");
  postgres.exec("UPDATE orders SET id = 2, note = NULL");
  postgres.exec("DELETE FROM orders");
  postgres.exec("TRUNCATE orders, other");
  postgres.exec("SELECT pg_logical_emit_message(false, 'audit', 'hello')");
  REQUIRE(log.wait_for_events(6));
  Lines names;
  std::vector<json> data;
  std::string last_id;
  for (const std::string& line : log.lines()) {
    if (line.rfind("event ", 0) != 0) continue;
    names.push_back(line.substr(6, line.find(' ', 6) - 6));
    data.push_back(json::parse(line.substr(line.find('{'))));
    const std::string id = line.substr(6 + names.back().size() + 1, Position::kTextSize);
    CHECK(Position::parse(id));
    CHECK(id > last_id);
    last_id = id;
  }
  CHECK(names == Lines{"insert", "update", "delete", "truncate", "truncate", "message"});
  CHECK(data[0]["new"] == json::parse(R"({"id": 1, "note": "Grüße 🌍", "doc": {"a": [1, 2]}})"));
  CHECK(data[1]["new"]["id"] == 2);
  CHECK(data[1]["new"]["note"].is_null());
  CHECK(data[1]["old"] == json::parse(R"({"id": 1})"));
  CHECK(data[2]["old"] == json::parse(R"({"id": 2})"));
  CHECK(data[5]["content"] == "hello");
  CHECK(log.events().front().written);
  log.stop();
  CHECK(eventually(
      10s, [&] { return postgres.value("SELECT count(*) FROM pg_replication_slots") == "0"; }));
}

TEST_CASE("wal stream: large values that did not change are named, not invented", "[wal_stream]") {
  const PrivatePostgres postgres;
  make_orders(postgres);
  postgres.exec(
      "ALTER TABLE orders ALTER note SET STORAGE EXTERNAL;"
      "INSERT INTO orders VALUES (1, repeat('x', 100000))");
  TakerLog log(open(follow(postgres)));
  REQUIRE(log.wait_for("caught up"));
  postgres.exec("UPDATE orders SET doc = '1'");
  REQUIRE(log.wait_for_events(1));
  const json data = json::parse(log.events()[0].data);
  CHECK(data["new"] == json::parse(R"({"id": 1, "doc": 1})"));
  CHECK(data["unchanged"] == json::parse(R"(["note"])"));
}

TEST_CASE("wal stream: of the named tables only, after the rows that are there", "[wal_stream]") {
  const PrivatePostgres postgres;
  make_orders(postgres);
  insert(postgres, 1, 3);
  postgres.exec("INSERT INTO other VALUES (100)");
  WalStreamOptions options = follow(postgres);
  options.tables = {"orders"};
  options.snapshot = true;
  TakerLog log(open(options));
  REQUIRE(log.wait_for("caught up"));
  postgres.exec("INSERT INTO other VALUES (101)");
  insert(postgres, 4, 5);
  REQUIRE(log.wait_for_events(5));
  CHECK(ids_of(log.events()) == count(1, 5));
  CHECK(log.lines()[0] == "open");
  CHECK(log.lines()[4] == "caught up");
}

TEST_CASE("wal stream: a kept slot goes on where its reader stood", "[wal_stream]") {
  const PrivatePostgres postgres;
  make_orders(postgres);
  std::string last_id;
  {
    TakerLog log(open(follow(postgres, "s")), {.events_max = 2});
    REQUIRE(log.wait_for("caught up"));
    insert(postgres, 1, 2);
    insert(postgres, 3, 3);
    REQUIRE(log.wait_ended());
    CHECK(ids_of(log.events()) == count(1, 2));
    last_id = log.events().back().id;
  }
  insert(postgres, 4, 6);
  SECTION("after an id, nothing is doubled") {
    WalStreamOptions options = follow(postgres, "s");
    options.since = {Since::Kind::id, last_id, {}};
    TakerLog log(open(options));
    REQUIRE(log.wait_for("caught up"));
    CHECK(ids_of(log.events()) == count(3, 6));
    insert(postgres, 7, 8);
    REQUIRE(log.wait_for_events(6));
    CHECK(ids_of(log.events()) == count(3, 8));
  }
  SECTION("only what is new") {
    WalStreamOptions options = follow(postgres, "s");
    options.since.kind = Since::Kind::end;
    TakerLog log(open(options));
    REQUIRE(log.wait_for("caught up"));
    insert(postgres, 7, 8);
    REQUIRE(log.wait_for_events(2));
    CHECK(ids_of(log.events()) == count(7, 8));
  }
  SECTION("what was drained is confirmed, and the past can end the stream") {
    std::size_t told = 0;
    for (int life = 0; life < 2; ++life) {
      TakerLog log(open(follow(postgres, "s")), {.stop_when_caught_up = true});
      REQUIRE(log.wait_ended());
      if (life == 0) CHECK(log.events().size() >= 4);
      told = log.events().size();
    }
    CHECK(told == 0);
  }
}

TEST_CASE("wal stream: killed servers and a kept slot: nothing is missed, nothing doubled",
          "[wal_stream]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  TakerLog log(open(follow(postgres, "s")));
  REQUIRE(log.wait_for("caught up"));
  for (int life = 0; life < 3; ++life) {
    std::atomic<int> commits{0};
    std::jthread writer([&](std::stop_token stop) {
      auto connection = Connection::connect(postgres.dsn(), {});
      for (int i = 0; connection && !stop.stop_requested(); ++i) {
        const std::string id = std::to_string(life * 1'000'000 + i * 3);
        if (!connection->exec(
                "INSERT INTO orders SELECT n FROM generate_series(" + id + ", " + id + " + 2) n",
                "test insert")) {
          return;
        }
        ++commits;
      }
    });
    REQUIRE(eventually(20s, [&] { return commits > 100; }));
    postgres.kill_9();
    writer.request_stop();
    writer.join();
    postgres.start();
    REQUIRE(log.wait_for("open again", life + 1));
  }
  const auto rows = std::stoul(postgres.value("SELECT count(*) FROM orders"));
  REQUIRE(log.wait_for_events(rows));
  insert(postgres, 9'000'000, 9'000'000);
  REQUIRE(log.wait_for_events(rows + 1));
  const auto events = log.events();
  CHECK(events.size() == rows + 1);
  const std::vector<int> ids = ids_of(events);
  CHECK(std::is_sorted(ids.begin(), ids.end()));
  CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
  const Lines lines = log.lines();
  CHECK(std::count(lines.begin(), lines.end(), "gap") == 0);
  CHECK(std::count(lines.begin(), lines.end(), "open again") >= 3);
  CHECK(std::count(lines.begin(), lines.end(), "caught up") == 1);
}

TEST_CASE("wal stream: a temporary slot that dies with its connection leaves a gap",
          "[wal_stream]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  TakerLog log(open(follow(postgres)));
  REQUIRE(log.wait_for("caught up"));
  insert(postgres, 1, 1);
  REQUIRE(log.wait_for_events(1));
  postgres.kill_9();
  REQUIRE(log.wait_for("retry"));
  postgres.start();
  REQUIRE(log.wait_for("open again"));
  insert(postgres, 2, 2);
  REQUIRE(log.wait_for_events(2));
  Lines lines = log.lines();
  std::erase_if(lines, [](const std::string& line) {
    return line == "retry" || line.rfind("event", 0) == 0;
  });
  CHECK(lines == Lines{"open", "caught up", "gap", "open again"});
}

TEST_CASE("wal stream: what cannot be is one clear error that says what to do", "[wal_stream]") {
  const PrivatePostgres postgres;
  make_orders(postgres);
  const auto usage = [&](const WalStreamOptions& options) {
    const auto opened = rtctl::open_wal_stream(options);
    return !opened && opened.error().code == Code::usage;
  };
  const auto ended = [&](const WalStreamOptions& options) {
    TakerLog log(open(options));
    const auto end = log.wait_ended();
    REQUIRE(end);
    REQUIRE_FALSE(*end);
    return end->error();
  };
  WalStreamOptions options = follow(postgres);
  SECTION("names and begins") {
    options.since.kind = Since::Kind::begin;
    CHECK(usage(options));
    options.slot = "s";
    CHECK_FALSE(usage(options));
    options.since = {Since::Kind::id, "7", {}};
    CHECK(usage(options));
    options.since = {};
    options.slot = "Capital";
    CHECK(usage(options));
  }
  SECTION("a publication that does not exist") {
    options.publication = "missing";
    options.tables = {"orders"};
    const Error error = ended(options);
    CHECK(error.code == Code::refused);
    CHECK(error.hint == "run: rtctl setup --publication missing --table public.orders");
  }
  SECTION("a table that is not published") {
    options.tables = {"absent"};
    const Error error = ended(options);
    CHECK(error.code == Code::refused);
    CHECK(error.hint.find("ALTER PUBLICATION \"p\" ADD TABLE") != std::string::npos);
  }
}

}  // namespace
}  // namespace rt::test

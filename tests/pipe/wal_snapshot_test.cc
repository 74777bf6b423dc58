#include "pipe/wal_snapshot.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "pipe/batch_queue.h"
#include "pipe/wal_source.h"
#include "proto/pgoutput.h"

namespace {

rt::PublishedTable run_table() {
  rt::PublishedTable table;
  table.name = {"app", "ta\"sk"};
  table.oid = 16400;
  table.identity = 'f';
  table.columns = {{"id", 25, -1, true}, {"n", 23, -1, false}, {"env", 1043, 36, true}};
  return table;
}

}  // namespace

TEST_CASE("wal snapshot: the prelude is a Relation with the real primary key", "[pipe]") {
  rt::BatchQueue queue(1 << 20);
  rt::BatchWriter writer(queue);
  rt::append_prelude(writer, {run_table()}, 77);
  REQUIRE(writer.flush());
  rt::RecordBatch batch;
  REQUIRE(queue.pop(batch));
  REQUIRE(batch.size() == 1);
  CHECK(batch[0].kind == rt::RecordKind::wal);
  CHECK(batch[0].prelude);
  CHECK(batch[0].received_us == 77);
  const auto decoded = rt::pgoutput::decode(batch[0].body);
  REQUIRE(decoded);
  const auto& relation = std::get<rt::pgoutput::Relation>(decoded.message);
  CHECK(relation.oid == 16400);
  CHECK(relation.schema == "app");
  CHECK(relation.name == "ta\"sk");
  CHECK(relation.identity == 'f');
  std::vector<rt::pgoutput::Column> columns(relation.columns.begin(), relation.columns.end());
  CHECK(columns == std::vector<rt::pgoutput::Column>{
                       {1, "id", 25, -1}, {0, "n", 23, -1}, {1, "env", 1043, 36}});
}

TEST_CASE("wal snapshot: the description is JSON with 64-bit numbers as text", "[pipe]") {
  rt::SnapshotOrigin origin;
  origin.server.system_id = 7345678901234567890;
  origin.server.timeline = 2;
  origin.server.version = 150018;
  origin.server.database = "my \"db\"";
  origin.slot = "s";
  origin.publication = "p";
  origin.consistent_point = 0x16B374D848;
  const auto json = nlohmann::json::parse(rt::snapshot_json(origin, {run_table()}));
  CHECK(json["consistent_point"] == "16/B374D848");
  CHECK(json["system_id"] == "7345678901234567890");
  CHECK(json["timeline"] == 2);
  CHECK(json["server_version"] == 150018);
  CHECK(json["database"] == "my \"db\"");
  CHECK(json["tables"][0]["table"] == "ta\"sk");
  CHECK(json["tables"][0]["primary_key"] == nlohmann::json({"id", "env"}));
}

TEST_CASE("wal snapshot: the copy takes the published rows and columns, with names quoted",
          "[pipe]") {
  rt::PublishedTable table = run_table();
  CHECK(table.copy_sql() ==
        "COPY (SELECT \"id\", \"n\", \"env\" FROM ONLY \"app\".\"ta\"\"sk\") TO STDOUT");
  table.row_filter = "(n > 1)";
  table.partitioned = true;
  CHECK(table.copy_sql() ==
        "COPY (SELECT \"id\", \"n\", \"env\" FROM \"app\".\"ta\"\"sk\" WHERE (n > 1)) TO STDOUT");
}

TEST_CASE("wal source: a database that is down at the start is an error, unless it may be awaited",
          "[pipe]") {
  rt::WalSourceOptions options;
  options.dsn = "host=127.0.0.1 port=1 dbname=x";
  const auto take = [](rt::RecordBatch&) -> rt::Result<void> { return {}; };
  SECTION("an error") {
    rt::WalSource source(options);
    const auto result = source.run({}, take);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == rt::Code::unreachable);
  }
  SECTION("awaited, until stopped") {
    options.retry_first_connect = true;
    std::stop_source stop;
    int tries = 0;
    rt::WalSource source(options, [&](const rt::WalNotice& notice) {
      CHECK(notice.kind == rt::WalNotice::Kind::reconnecting);
      if (++tries == 2) stop.request_stop();
    });
    CHECK(source.run(stop.get_token(), take));
    CHECK(tries == 2);
    CHECK_FALSE(source.connected());
  }
}

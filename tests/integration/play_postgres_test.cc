// rtreplay play --to postgresql://: a recording of one cluster into another. What is there in the
// end is what was there, each transaction once, whatever dies.
#include "integration/play_database.h"

using namespace rt::test;

namespace {

const char* const kSchema = R"(
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE DOMAIN positive AS int CHECK (value > 0);
  CREATE TABLE kinds (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text, n numeric,
    d double precision, j json, jb jsonb, ts timestamptz, list text[], b bytea, m mood, p positive,
    c char(8), g int GENERATED ALWAYS AS (length(v)) STORED);
  CREATE TABLE keyless (x int, y text, z json, c char(5));
  ALTER TABLE keyless REPLICA IDENTITY FULL;
  CREATE TABLE keyed (a int, b int, s serial, big text, PRIMARY KEY (a, b));
  ALTER TABLE keyed ALTER big SET STORAGE EXTERNAL;
  CREATE TABLE parts (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
  CREATE TABLE parts1 PARTITION OF parts FOR VALUES FROM (0) TO (1000);
  CREATE TABLE parts2 PARTITION OF parts FOR VALUES FROM (1000) TO (100000);
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent);
  CREATE TABLE allkey (a int, b text, PRIMARY KEY (a, b));
  CREATE TABLE fullkey (id int PRIMARY KEY, big text, v int);
  ALTER TABLE fullkey REPLICA IDENTITY FULL;
  ALTER TABLE fullkey ALTER big SET STORAGE EXTERNAL;
  CREATE TABLE "Odd ""Name" ("Sel ect" int PRIMARY KEY, "from" text))";

const std::vector<std::string> kTables = {"kinds", "keyless", "keyed",   "parts",          "parent",
                                          "child", "allkey",  "fullkey", R"("Odd ""Name")"};

// Each statement is a transaction of its own where it stands alone.
const std::vector<std::string> kChanges = {
    R"(INSERT INTO kinds (v, n, d, j, jb, ts, list, b, m, p, c)
       SELECT 'v' || i, i * 1.10, 0.1 + 0.2 * i, '{"a": 1,  "b":2}', '{"x":1}',
       '2026-03-29 01:30:00+01', array['a', NULL, 'q"q'], '\x00ff', 'ok', 5, 'ab'
       FROM generate_series(1, 50) i)",
    "UPDATE kinds SET v = v || 'x' WHERE id % 3 = 0",
    "DELETE FROM kinds WHERE id % 7 = 0",
    "UPDATE kinds SET n = 'NaN', d = 'Infinity', ts = 'infinity' WHERE id = 10",
    "UPDATE kinds SET id = DEFAULT WHERE id = 11",
    R"(INSERT INTO keyless SELECT 1, 'same', '{"a":1}', 'ab' FROM generate_series(1, 5))",
    "INSERT INTO keyless VALUES (NULL, NULL, NULL, NULL)",
    "UPDATE keyless SET y = 'new' WHERE ctid = (SELECT ctid FROM keyless WHERE x = 1 LIMIT 1)",
    "DELETE FROM keyless WHERE ctid = (SELECT ctid FROM keyless WHERE y = 'same' LIMIT 1)",
    "DELETE FROM keyless WHERE x IS NULL",
    "INSERT INTO keyed (a, b, big) VALUES (1, 1, 'small'), (100, 100, repeat('z', 100000))",
    "UPDATE keyed SET s = 1000 WHERE a = 100",  // big does not come again
    "UPDATE keyed SET b = 200 WHERE a = 100",
    "UPDATE keyed SET a = a + 1000",
    "INSERT INTO parts SELECT i, 'p' || i FROM generate_series(1, 2000, 37) i",
    "UPDATE parts SET v = 'u' WHERE id < 500",
    "UPDATE parts SET id = id + 5000 WHERE id BETWEEN 1 AND 100",
    "BEGIN; INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (1, 1), (2, 2); COMMIT",
    "BEGIN; TRUNCATE parent, child; INSERT INTO parent VALUES (9); COMMIT",
    "INSERT INTO allkey VALUES (1, 'a'), (2, 'b')",
    "UPDATE allkey SET b = 'c' WHERE a = 1",
    "INSERT INTO fullkey VALUES (1, repeat('z', 100000), 1), (2, repeat('y', 100000), 1)",
    "UPDATE fullkey SET v = 2",
    "UPDATE fullkey SET id = id + 10",
    "DELETE FROM fullkey WHERE id = 11",
    R"(INSERT INTO "Odd ""Name" VALUES (1, 'from'), (2, NULL))",
    R"(UPDATE "Odd ""Name" SET "from" = 'x''y' WHERE "Sel ect" = 2)",
    "SELECT pg_logical_emit_message(true, 'pre', 'hello')",
    "ALTER TABLE keyed ADD COLUMN extra int DEFAULT 7",
    "INSERT INTO keyed VALUES (5000, 1, 1, 'late', 8)"};

}  // namespace

TEST_CASE("play: every kind of change arrives as it was, and playing again changes nothing",
          "[play_postgres]") {
  PrivatePostgres source;
  PrivatePostgres target;
  source.exec(kSchema);
  target.exec(kSchema);
  source.exec("CREATE PUBLICATION p FOR ALL TABLES WITH (publish_via_partition_root = true)");
  source.exec("INSERT INTO kinds (v, n) VALUES ('before', 1.10)");
  const TempFolder folder;
  record(source, folder / "a.rtr",
         [&] {
           for (const std::string& change : kChanges) source.exec(change);
         },
         {"--snapshot"});
  target.exec("ALTER TABLE keyed ADD COLUMN extra int DEFAULT 7");  // DDL is not recorded
  const Outcome first = run(play_words(folder / "a.rtr", target));
  INFO(first.err);
  CHECK(first.status == 0);
  CHECK_THAT(first.err, !Catch::Contains("conflicts"));
  const std::string wanted = content(source, kTables);
  CHECK(content(target, kTables) == wanted);
  CHECK(target.value("SELECT nextval('keyed_s_seq')") == "1001");
  const Outcome again = run(play_words(folder / "a.rtr", target));
  CHECK(again.status == 0);
  CHECK_THAT(again.err, Catch::Contains("committed 0 transactions"));
  CHECK(content(target, kTables) == wanted);
  CHECK(target.value("SELECT count(*) FROM pg_replication_origin_status") == "1");
}

TEST_CASE("play: a snapshot meets rows that are there by the conflict policy", "[play_postgres]") {
  PrivatePostgres source;
  PrivatePostgres target;
  source.exec(std::string(kOrders) + "; CREATE PUBLICATION p FOR ALL TABLES");
  target.exec(kOrders);
  insert_orders(source, 3);
  const TempFolder folder;
  record(source, folder / "a.rtr", [] {}, {"--snapshot"});
  target.exec("INSERT INTO orders VALUES (2, 'mine'), (9, 'other')");
  const Outcome played = run(play_words(folder / "a.rtr", target));
  INFO(played.err);
  CHECK(played.status == 0);
  CHECK_THAT(played.err, Catch::Contains("1 conflicts, 1 were there and were overwritten"));
  CHECK(target.value("SELECT count(*) || ' ' || string_agg(note, ',') FILTER (WHERE id = 9) FROM "
                     "orders WHERE note <> 'mine'") == "4 other");
}

TEST_CASE("play: killed in the middle and started again, each transaction is applied once",
          "[play_postgres]") {
  PrivatePostgres source;
  PrivatePostgres target;
  source.exec(std::string(kOrders) + "; CREATE PUBLICATION p FOR ALL TABLES");
  // What is done twice shows here, whatever ON CONFLICT does.
  target.exec(std::string(kOrders) +
              "; CREATE TABLE done (id int, operation text);"
              "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
              "public.done VALUES (NEW.id, TG_OP); RETURN NULL; END $$;"
              "CREATE TRIGGER note AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION "
              "note()");
  const TempFolder folder;
  record(source, folder / "a.rtr", [&] { insert_orders(source, 6000); });
  auto words = play_words(folder / "a.rtr", target, {"--with-triggers"});
  const auto at_speed = [&](const char* speed) {
    words[6] = speed;
    return words;
  };
  for (const int reached : {1, 1500, 3000}) {
    RunningTool player(at_speed("0.1"));  // slow enough to be in the middle
    REQUIRE(eventually(std::chrono::seconds(20), [&] {
      return std::stoi(target.value("SELECT count(*) FROM orders")) >= reached;
    }));
    player.signal(SIGKILL);
    player.finish();
  }
  const Outcome end = run(at_speed("max"));
  INFO(end.err);
  CHECK(end.status == 0);
  CHECK(content(target, {"orders"}) == content(source, {"orders"}));
  CHECK(target.value("SELECT count(*) || ' ' || count(DISTINCT id) FROM done") == "6000 6000");
}

TEST_CASE("play: a role without replication origins has its progress in a table",
          "[play_postgres]") {
  PrivatePostgres source;
  PrivatePostgres target;
  source.exec(std::string(kOrders) + "; CREATE PUBLICATION p FOR ALL TABLES");
  target.exec(std::string(kOrders) +
              "; CREATE ROLE app LOGIN; GRANT ALL ON orders TO app; GRANT CREATE ON DATABASE "
              "postgres TO app");
  const TempFolder folder;
  record(source, folder / "a.rtr", [&] { insert_orders(source, 100); });
  const std::vector<std::string> words = {
      "rtreplay", "play", folder / "a.rtr", "--to", url(target, "app"), "--speed", "max"};
  const Outcome denied = run(words);
  CHECK(denied.status == 4);
  CHECK_THAT(denied.err, Catch::Contains("--with-triggers"));
  target.exec("GRANT SET ON PARAMETER session_replication_role TO app");
  const Outcome first = run(words);
  INFO(first.err);
  CHECK(first.status == 0);
  CHECK_THAT(first.err, Catch::Contains("rtreplay.progress"));
  CHECK(content(target, {"orders"}) == content(source, {"orders"}));
  target.exec("DELETE FROM orders WHERE id = 7");
  CHECK(run(words).status == 0);  // nothing is played again
  CHECK(target.value("SELECT count(*) FROM orders") == "99");
}

TEST_CASE("play: what does not fit is treated as asked for, and said", "[play_postgres]") {
  PrivatePostgres source;
  PrivatePostgres target;
  source.exec(std::string(kOrders) + "; CREATE PUBLICATION p FOR ALL TABLES");
  target.exec(kOrders);
  const TempFolder folder;
  record(source, folder / "a.rtr", [&] {
    source.exec("INSERT INTO orders VALUES (1, 'one'), (2, 'two')");
    source.exec("UPDATE orders SET note = 'zwei' WHERE id = 2");
    source.exec("DELETE FROM orders WHERE id = 1");
  });
  const auto play = [&](const std::string& policy, const std::string& before) {
    target.exec("TRUNCATE orders; " + before);
    return run(play_words(folder / "a.rtr", target,
                          {"--on-conflict", policy, "--progress-name", "p" + policy}));
  };
  const std::string there = "INSERT INTO orders VALUES (2, 'mine')";
  const Outcome error = play("error", there);
  CHECK(error.status == 4);
  CHECK_THAT(error.err, Catch::Contains("(23505)"));
  CHECK(target.value("SELECT string_agg(note, ',') FROM orders") == "mine");
  CHECK(play("upsert", there).status == 0);
  CHECK(target.value("SELECT string_agg(note, ',') FROM orders") == "zwei");
  const Outcome fill = play("fill", there);
  CHECK(fill.status == 0);
  CHECK_THAT(fill.err, Catch::Contains("1 conflicts, 1 were there and stayed"));
  CHECK(play("bogus", "SELECT 1").status == 2);
}

TEST_CASE("play: nothing behind a transaction that failed is applied before it",
          "[play_postgres]") {
  PrivatePostgres source;
  PrivatePostgres target;
  source.exec(std::string(kOrders) + "; CREATE PUBLICATION p FOR ALL TABLES");
  target.exec(kOrders);
  const TempFolder folder;
  record(source, folder / "a.rtr", [&] { insert_orders(source, 1000); });
  target.exec("INSERT INTO orders VALUES (5, 'mine')");
  const auto words = play_words(folder / "a.rtr", target, {"--on-conflict", "error"});
  CHECK(run(words).status == 4);
  CHECK(target.value("SELECT string_agg(id::text, ' ' ORDER BY id) FROM orders") == "1 2 3 4 5");
  target.exec("DELETE FROM orders WHERE id = 5");
  CHECK(run(words).status == 0);
  CHECK(content(target, {"orders"}) == content(source, {"orders"}));
}

TEST_CASE("play: a target that must not be, or is not, is refused before anything is written",
          "[play_postgres]") {
  PrivatePostgres source;
  source.exec(std::string(kOrders) + "; CREATE PUBLICATION p FOR ALL TABLES");
  const TempFolder folder;
  record(source, folder / "a.rtr", [&] { insert_orders(source, 1); });
  const Outcome loop = run(play_words(folder / "a.rtr", source));
  CHECK(loop.status == 4);
  CHECK_THAT(loop.err, Catch::Contains("the database that was recorded"));
  const auto to = [&](const std::string& target) {
    return run({"rtreplay", "play", folder / "a.rtr", "--to", target}).status;
  };
  CHECK(to("postgresql://db.example.com/app") == 2);
  CHECK(to("http://example.com/hook") == 2);
  CHECK(to("postgresql://postgres@127.0.0.1:1/app") == 3);
  CHECK(to("redis://127.0.0.1:1") == 3);
}

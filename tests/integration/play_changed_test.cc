// rtreplay play --to postgresql:// where the target is not what was recorded, or more than one play
// goes into it: keys that meet, sequences, messages, rounds, other values.
#include "integration/on_terminal.h"
#include "integration/play_database.h"
#include "pg/connection.h"
#include "rtreplay/sample.h"

using namespace rt;
using namespace rt::test;

TEST_CASE("play: a row that takes the key of another one follows the conflict policy",
          "[play_changed]") {
  PrivatePostgres source;
  PrivatePostgres target;
  const std::string always =
      "; CREATE TABLE ids (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text)";
  source.exec(kOrders + always + "; CREATE PUBLICATION p FOR ALL TABLES");
  target.exec(kOrders + always);
  const TempFolder folder;
  record(source, folder / "a.rtr", [&] {
    source.exec("INSERT INTO orders VALUES (1, 'one'); INSERT INTO ids (note) VALUES ('one')");
    source.exec("UPDATE orders SET id = 7 WHERE id = 1");
    source.exec("ALTER SEQUENCE ids_id_seq RESTART WITH 7");
    source.exec("UPDATE ids SET id = DEFAULT WHERE id = 1");
  });
  const auto rows = [&](const std::string& table) {
    return target.value("SELECT string_agg(id || note, ' ' ORDER BY id) FROM " + table);
  };
  const auto play = [&](const std::string& policy) {
    target.exec(
        "TRUNCATE orders, ids; INSERT INTO orders VALUES (7, 'mine');"
        "INSERT INTO ids OVERRIDING SYSTEM VALUE VALUES (7, 'mine')");
    return run(play_words(folder / "a.rtr", target,
                          {"--on-conflict", policy, "--progress-name", "k" + policy}));
  };
  const Outcome upsert = play("upsert");
  INFO(upsert.err);
  CHECK(upsert.status == 0);
  CHECK_THAT(upsert.err, Catch::Contains("2 were there and were overwritten; first: update of "
                                         "public.orders"));
  CHECK(rows("orders") == "7one");
  CHECK(rows("ids") == "7one");
  const Outcome fill = play("fill");
  CHECK(fill.status == 0);
  CHECK_THAT(fill.err, Catch::Contains("2 were there and stayed"));
  CHECK(rows("orders") == "1one 7mine");
  CHECK(rows("ids") == "1one 7mine");
  CHECK(play("skip").status == 0);
  CHECK(rows("orders") == "1one 7mine");
  const Outcome error = play("error");
  CHECK(error.status == 4);
  CHECK_THAT(error.err, Catch::Contains("(23505)"));
}

TEST_CASE("play: stopped in the middle, what is there is committed and sequences are set",
          "[play_changed]") {
  PrivatePostgres source;
  PrivatePostgres target;
  const std::string table = "CREATE TABLE numbered (id serial PRIMARY KEY, note text)";
  source.exec(table + "; CREATE PUBLICATION p FOR ALL TABLES");
  target.exec(table);
  const TempFolder folder;
  record(source, folder / "a.rtr", [&] {
    source.exec(
        "DO $$ BEGIN FOR i IN 1..3000 LOOP INSERT INTO numbered (note) VALUES ('x'); "
        "COMMIT; END LOOP; END $$");
  });
  auto words = play_words(folder / "a.rtr", target);
  words[6] = "0.1";
  RunningTool player(words);
  REQUIRE(eventually(std::chrono::seconds(20), [&] {
    return std::stoi(target.value("SELECT count(*) FROM numbered")) >= 50;
  }));
  player.signal(SIGINT);
  const Outcome end = player.finish();
  INFO(end.err);
  CHECK(end.status == 130);
  CHECK_THAT(end.err, Catch::Contains("1 sequences moved"));
  CHECK(target.value("SELECT nextval('numbered_id_seq') = max(id) + 1 FROM numbered") == "t");
}

TEST_CASE("play: a message outside of transactions comes once, however often it is played",
          "[play_changed]") {
  PrivatePostgres source;
  PrivatePostgres target;
  source.exec(std::string(kOrders) + "; CREATE PUBLICATION p FOR ALL TABLES");
  target.exec(kOrders);
  const TempFolder folder;
  record(source, folder / "a.rtr", [&] {
    insert_orders(source, 2);
    source.exec("SELECT pg_logical_emit_message(false, 'pre', 'one')");
    source.exec("SELECT pg_logical_emit_message(false, 'pre', 'two')");
    source.exec("INSERT INTO orders VALUES (3, 'three')");
    source.exec("SELECT pg_logical_emit_message(false, 'pre', 'last')");
  });
  const Outcome first = run(play_words(folder / "a.rtr", target));
  INFO(first.err);
  CHECK(first.status == 0);
  CHECK_THAT(first.err, Catch::Contains("committed 3 transactions, 3 rows, 3 messages"));
  const Outcome again = run(play_words(folder / "a.rtr", target));
  CHECK(again.status == 0);
  CHECK_THAT(again.err, !Catch::Contains("messages"));
}

TEST_CASE("play: each round of a loop is applied, and none again", "[play_changed]") {
  PrivatePostgres source;
  PrivatePostgres target;
  source.exec(std::string(kOrders) + "; CREATE PUBLICATION p FOR ALL TABLES");
  target.exec(std::string(kOrders) +
              "; CREATE TABLE done (id int); "
              "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
              "public.done VALUES (NEW.id); RETURN NULL; END $$;"
              "CREATE TRIGGER note AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note()");
  const TempFolder folder;
  record(source, folder / "a.rtr", [&] {
    insert_orders(source, 10);
    source.exec("DELETE FROM orders");
  });
  const auto rounds = [&](const char* loops) {
    const Outcome end =
        run(play_words(folder / "a.rtr", target, {"--with-triggers", "--loop", loops}));
    INFO(end.err);
    CHECK(end.status == 0);
    return target.value("SELECT count(*) FROM done");
  };
  CHECK(rounds("1") == "10");
  CHECK(rounds("3") == "30");
  CHECK(rounds("3") == "30");
  CHECK(rounds("1") == "30");
}

TEST_CASE("play --rewrite: into a table with fewer columns, other keys and no names",
          "[play_changed]") {
  PrivatePostgres source;
  PrivatePostgres target;
  source.exec(
      "CREATE TABLE users (id int PRIMARY KEY, email text, at timestamptz, secret text);"
      "CREATE PUBLICATION p FOR ALL TABLES; INSERT INTO users VALUES (1, 'a', now(), 's')");
  target.exec("CREATE TABLE users (id int PRIMARY KEY, email text, at timestamptz)");
  const TempFolder folder;
  record(source, folder / "a.rtr",
         [&] {
           source.exec("INSERT INTO users VALUES (2, 'b@c.d', now(), 's')");
           source.exec("UPDATE users SET id = 3 WHERE id = 2");
           source.exec("DELETE FROM users WHERE id = 1");
         },
         {"--snapshot"});
  const Outcome refused = run(play_words(folder / "a.rtr", target));
  CHECK(refused.status == 4);
  const std::string rule = "public.users.secret=drop";
  CHECK_THAT(refused.err, Catch::Contains("--rewrite " + rule));
  const Outcome played =
      run(play_words(folder / "a.rtr", target,
                     {"--rewrite", rule, "--rewrite", "users.id=+1000", "--rewrite",
                      "users.email=hash", "--rewrite", "users.at=shift"}));
  INFO(played.err);
  CHECK(played.status == 0);
  CHECK_THAT(played.err, !Catch::Contains("conflicts"));
  CHECK(target.value("SELECT id || ' ' || length(email) || (at > now() - '1 min'::interval) FROM "
                     "users") == "1003 16true");
}

TEST_CASE("play: going forward by key, a database misses nothing of what lies between",
          "[play_changed]") {
  PrivatePostgres target;
  target.exec("CREATE TABLE orders (id text PRIMARY KEY, note text)");
  const TempFolder folder;
  write_hours(folder / "a.rtr");
  OnTerminal play({"rtreplay", "play", folder / "a.rtr", "--to", url(target)});
  REQUIRE(play.wait_for("playing 1x"));
  play.press(" r");
  REQUIRE(play.wait_for("this target takes whole transactions"));
  play.press("g" + Position{commit_lsn(7), 0}.text() + "\r");
  CHECK(eventually(std::chrono::seconds(10),
                   [&] { return target.value("SELECT count(*) FROM orders") == "14"; }));
  play.press("q");
  CHECK(play.finish() == 0);
  CHECK(target.value("SELECT count(*) FROM orders") == "14");
}

TEST_CASE("play: a second Ctrl-C does not wait for the database, and restores the terminal",
          "[play_changed]") {
  PrivatePostgres target;
  target.exec("CREATE TABLE orders (id text PRIMARY KEY, note text)");
  Connection other = Connection::connect(target.dsn(), {}).value();
  REQUIRE(other.exec("BEGIN; LOCK TABLE orders", "lock"));
  const TempFolder folder;
  write_hours(folder / "a.rtr");
  OnTerminal play({"rtreplay", "play", folder / "a.rtr", "--to", url(target)});
  REQUIRE(play.wait_for("playing 1x"));
  REQUIRE(eventually(std::chrono::seconds(10), [&] {
    return target.value("SELECT count(*) FROM pg_locks WHERE NOT granted") == "1";
  }));
  CHECK_FALSE(play.is_line_by_line());
  int status = 0;
  // The database would be waited for for 3 s.
  CHECK(eventually(std::chrono::seconds(2), [&] {
    play.press("\x03");
    return ::waitpid(play.pid, &status, WNOHANG) == play.pid;
  }));
  play.pid = -1;
  CHECK(WEXITSTATUS(status) == 130);
  CHECK(play.is_line_by_line());
}

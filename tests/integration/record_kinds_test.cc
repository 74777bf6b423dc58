// rtreplay record wal: every kind of thing that a server can send is in the archive as it was.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "archive/reader.h"
#include "archive/stream_tracker.h"
#include "integration/recording.h"

using namespace rt::test;
using namespace std::chrono_literals;

namespace {

// Everything in the archive, decompressed: record bodies one after another, and how many of each
// pgoutput letter there are.
struct Raw {
  std::string bytes;
  std::map<char, int> letters;
  explicit Raw(const std::string& archive) {
    auto reader = rt::archive::Reader::open(archive);
    REQUIRE(reader);
    rt::archive::Entry entry;
    for (;;) {
      const auto more = reader->next(entry);
      REQUIRE(more);
      if (!*more) return;
      bytes += entry.record.body;
      if (entry.record.kind == rt::RecordKind::wal && !entry.record.prelude) {
        ++letters[rt::archive::wal_letter(entry.record.body)];
      }
    }
  }
};

// A recorder that has recorded what `work` did.
void record_while(const PrivatePostgres& postgres, const std::string& archive,
                  const std::vector<std::string>& more, const std::function<void()>& work) {
  RunningTool recorder(record_words(postgres, archive, more));
  REQUIRE(recorder.wait_for("streaming from"));
  work();
  REQUIRE(all_confirmed(postgres));
  recorder.signal(SIGINT);
  REQUIRE(recorder.finish().status == 130);
}

std::string brief(const nlohmann::json& line) {
  std::string text = line["op"].get<std::string>() + " " + line["rel"].get<std::string>();
  for (const char* part : {"old", "new"}) {
    if (line.contains(part) && !line[part].is_null()) text += " " + line[part].dump();
  }
  if (line.contains("unchanged")) text += " unchanged " + line["unchanged"].dump();
  return text;
}

std::vector<std::string> briefs(const std::string& archive) {
  std::vector<std::string> texts;
  for (const auto& line : lines_of(archive)) {
    if (line.contains("op") && line.contains("rel")) texts.push_back(brief(line));
  }
  return texts;
}

// Highest resident memory of a process, looked at until it has ended.
long peak_kib_to_the_end(int pid) {
  long peak = 0;
  REQUIRE(eventually(300s, [&] {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    bool alive = false;  // one that has ended has no memory
    for (std::string line; std::getline(status, line);) {
      if (line.rfind("VmHWM:", 0) != 0) continue;
      peak = std::max(peak, std::stol(line.substr(6)));
      alive = true;
    }
    return !alive;
  }));
  return peak;
}

}  // namespace

TEST_CASE("record kinds: streamed transactions give the archive that whole ones give",
          "[record_kinds]") {
  PrivatePostgres postgres(PrivatePostgres::Settings{{"logical_decoding_work_mem", "64kB"}});
  make_orders(postgres);
  const RecordingFolder folder;
  RunningTool whole(record_words(postgres, folder / "whole", {"--slot", "a", "--keep-slot"}));
  REQUIRE(whole.wait_for("streaming from"));
  RunningTool streamed(record_words(postgres, folder / "streamed.rtr",
                                    {"--slot", "b", "--keep-slot", "--streaming"}));
  REQUIRE(streamed.wait_for("streaming from"));
  rt::Connection one = postgres.connect();
  rt::Connection two = postgres.connect();
  const auto rows = [](rt::Connection& on, int first, int count) {
    REQUIRE(on.exec("INSERT INTO orders SELECT i, repeat('x', 200) FROM generate_series(" +
                        std::to_string(first) + ", " + std::to_string(first + count - 1) + ") i",
                    "test"));
  };
  REQUIRE(one.exec("BEGIN", "test"));
  REQUIRE(two.exec("BEGIN; SELECT 1", "test"));
  for (int round = 0; round < 3; ++round) {
    rows(one, 1 + round * 1000, 700);
    REQUIRE(one.exec("SAVEPOINT s", "test"));
    rows(one, 10'001 + round * 1000, 700);
    REQUIRE(one.exec(round == 1 ? "RELEASE s" : "ROLLBACK TO s", "test"));
    rows(two, 20'001 + round * 1000, 700);
    insert_orders(postgres, 50'000 + round, 50'000 + round);
  }
  // A table altered inside a savepoint that is taken back.
  REQUIRE(two.exec("COMMIT", "test"));
  REQUIRE(one.exec("SAVEPOINT t; ALTER TABLE orders ADD gone text", "test"));
  REQUIRE(
      one.exec("INSERT INTO orders SELECT i, 'y', repeat('g', 300) FROM "
               "generate_series(30001, 30700) i; ROLLBACK TO t",
               "test"));
  rows(one, 40'001, 700);
  REQUIRE(one.exec("SELECT pg_logical_emit_message(true, 'p', 'inside'); COMMIT", "test"));
  REQUIRE(one.exec("BEGIN", "test"));
  rows(one, 60'001, 2000);
  REQUIRE(one.exec("ROLLBACK", "test"));
  insert_orders(postgres, 70'000, 70'001);
  REQUIRE(all_confirmed(postgres, "a"));
  REQUIRE(all_confirmed(postgres, "b"));
  whole.signal(SIGINT);
  streamed.signal(SIGINT);
  whole.finish();
  CHECK(streamed.finish().status == 130);
  const auto expected = lines_of(folder / "whole");
  CHECK(expected.size() == 3 * 700 * 2 + 700 + 700 + 3 + 2);
  CHECK((lines_of(folder / "streamed.rtr") == expected));
  CHECK(Raw(folder / "streamed.rtr").letters.count('S') == 0);
  CHECK(std::stoi(postgres.value("SELECT sum(stream_count) FROM pg_stat_replication_slots "
                                 "WHERE slot_name = 'b'")) > 3);
}

TEST_CASE("record kinds: rows, schema changes, messages and origins are kept as they came",
          "[record_kinds]") {
  PrivatePostgres postgres(PrivatePostgres::Settings{{"max_prepared_transactions", "4"}});
  postgres.exec(
      "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN positive AS int CHECK (VALUE > 0); "
      "CREATE TABLE orders (id int PRIMARY KEY, m mood, p positive, f float8, "
      "twice int GENERATED ALWAYS AS (id * 2) STORED, big text); "
      "ALTER TABLE orders ALTER big SET STORAGE EXTERNAL; "
      "CREATE TABLE parts (id int, region text, PRIMARY KEY (id, region)) PARTITION BY LIST "
      "(region); CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu'); "
      "CREATE TABLE filtered (id int PRIMARY KEY)");
  postgres.exec(
      "CREATE PUBLICATION p FOR TABLE orders, parts, filtered WHERE (id > 10) "
      "WITH (publish_via_partition_root = true); "
      "ALTER ROLE postgres SET extra_float_digits = -15; ALTER ROLE postgres SET datestyle = "
      "'German'; ALTER ROLE postgres SET bytea_output = 'escape'");
  const RecordingFolder folder;
  const std::string archive = folder / "a.rtr";
  record_while(postgres, archive, {"--slot", "s", "--keep-slot"}, [&] {
    for (const char* sql :
         {"INSERT INTO orders (id, m, p, f, big) VALUES (1, 'ok', 5, 0.1::float8 + 0.2::float8, "
          "repeat('z', 3000))",
          "UPDATE orders SET p = 6", "UPDATE orders SET id = 2",
          "ALTER TABLE orders DROP f, DROP big, ADD extra text DEFAULT 'new'",
          "INSERT INTO orders (id) VALUES (3)", "INSERT INTO parts VALUES (1, 'eu')",
          "INSERT INTO filtered VALUES (5), (11)", "UPDATE filtered SET id = 12 WHERE id = 5",
          "UPDATE filtered SET id = 6 WHERE id = 11",
          "BEGIN; INSERT INTO orders (id) VALUES (4); PREPARE TRANSACTION 'x'",
          "INSERT INTO orders (id) VALUES (5)", "COMMIT PREPARED 'x'",
          "DELETE FROM orders WHERE id = 2", "SELECT pg_logical_emit_message(true, 'p', 'inside')",
          "SELECT pg_logical_emit_message(false, 'p', 'outside')",
          "SELECT pg_replication_origin_create('elsewhere'); "
          "SELECT pg_replication_origin_session_setup('elsewhere'); "
          "INSERT INTO orders (id) VALUES (6)",
          "TRUNCATE orders, filtered"}) {
      postgres.exec(sql);
    }
  });
  const std::string z(3000, 'z');
  const std::vector<std::string> expected = {
      R"(I public.orders {"big":")" + z +
          R"(","f":"0.30000000000000004","id":"1","m":"ok","p":"5"})",
      R"(U public.orders {"f":"0.30000000000000004","id":"1","m":"ok","p":"6"} unchanged ["big"])",
      R"(U public.orders {"id":"1"} {"f":"0.30000000000000004","id":"2","m":"ok","p":"6"} unchanged ["big"])",
      R"(I public.orders {"extra":"new","id":"3","m":null,"p":null})",
      R"(I public.parts {"id":"1","region":"eu"})",
      R"(I public.filtered {"id":"11"})",
      R"(I public.filtered {"id":"12"})",
      R"(D public.filtered {"id":"11"})",
      R"(I public.orders {"extra":"new","id":"5","m":null,"p":null})",
      R"(I public.orders {"extra":"new","id":"4","m":null,"p":null})",
      R"(D public.orders {"id":"2"})",
      R"(I public.orders {"extra":"new","id":"6","m":null,"p":null})"};
  auto found = briefs(archive);
  REQUIRE(found.size() >= expected.size());
  const std::vector<std::string> rest(found.begin() + std::ssize(expected), found.end());
  found.resize(expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(found[i] == expected[i]);
  CHECK(rest.size() == 2);  // the TRUNCATE, a line for each table
  const Raw raw(archive);
  CHECK(raw.letters.at('M') == 2);
  CHECK(raw.letters.at('O') == 1);
  CHECK(raw.letters.at('Y') >= 2);
  CHECK(raw.letters.at('T') == 1);
  CHECK(raw.letters.count('b') == 0);  // prepared transactions come whole when they commit
}

TEST_CASE("record kinds: what is redacted is nowhere in the archive, and the same value stays one",
          "[record_kinds]") {
  PrivatePostgres postgres;
  postgres.exec(
      "CREATE TABLE orders (id int PRIMARY KEY, mail text, doc jsonb, u uuid, secret text); "
      "ALTER TABLE orders REPLICA IDENTITY FULL; "
      "INSERT INTO orders VALUES (1, 'ann@x', '{\"name\": \"ann-name\", \"n\": 1.10}', "
      "'00000000-0000-0000-0000-00000000abcd', 'sec-ret')");
  const RecordingFolder folder;
  const std::string archive = folder / "rec";
  const std::vector<std::string> more = {"--slot",
                                         "s",
                                         "--keep-slot",
                                         "--snapshot",
                                         "--streaming",
                                         "--redact",
                                         "/orders/mail=hash",
                                         "--redact",
                                         "/public.orders/doc/name=hash",
                                         "--redact",
                                         "/*/u=hash",
                                         "--redact",
                                         "/orders/secret=drop"};
  record_while(postgres, archive, more, [&] {
    postgres.exec(
        "INSERT INTO orders VALUES (2, 'ann@x', '{\"name\": \"bob-name\"}', NULL, 'sec-ret')");
    postgres.exec("UPDATE orders SET mail = 'bob@x' WHERE id = 1");
  });
  record_while(postgres, archive, more, [&] {
    postgres.exec(
        "INSERT INTO orders VALUES (3, 'bob@x', '{\"name\": [\"ann-name\"]}', NULL, NULL)");
    postgres.exec("DELETE FROM orders WHERE id = 2");
  });
  const Raw raw(archive);
  for (const char* secret : {"ann@x", "bob@x", "ann-name", "bob-name", "sec-ret", "abcd"}) {
    CHECK(raw.bytes.find(secret) == std::string::npos);
  }
  CHECK(raw.bytes.find("1.10") != std::string::npos);
  std::map<std::string, nlohmann::json> rows;
  for (auto& line : lines_of(archive)) {
    if (!line.contains("op")) continue;
    rows[line["op"].get<std::string>() +
         (line["new"].is_null() ? line["old"] : line["new"])["id"].get<std::string>()] = line;
  }
  const std::string ann = rows["I2"]["new"]["mail"];
  CHECK(ann.size() == 16);
  CHECK(rows["U1"]["old"]["mail"] == ann);
  CHECK(rows["D2"]["old"]["mail"] == ann);
  CHECK(rows["U1"]["new"]["mail"] == rows["I3"]["new"]["mail"]);  // also after a restart
  CHECK(rows["U1"]["new"]["mail"] != ann);
  CHECK(rows["I2"]["new"]["secret"].is_null());
  CHECK(rows["U1"]["old"]["u"].get<std::string>().size() == 36);
  const auto mode = std::filesystem::status(folder / "rec.redact-key").permissions();
  CHECK((mode & std::filesystem::perms::others_all) == std::filesystem::perms::none);

  const auto refused = [&](const std::string& rule) {
    const Outcome outcome =
        run(record_words(postgres, folder / "other",
                         {"--slot", "t", "--redact", rule, "--snapshot", "--duration", "3s"}));
    CHECK(outcome.status == 2);
  };
  refused("/orders/mial=hash");
  refused("/orders/id=drop");
  refused("orders.mail=hash");
}

TEST_CASE("record kinds: logical messages are redacted by their prefix; one in clear is said",
          "[record_kinds]") {
  PrivatePostgres postgres;
  make_orders(postgres);
  const RecordingFolder folder;
  const std::string archive = folder / "rec";
  std::vector<std::string> words =
      record_words(postgres, archive,
                   {"--slot", "s", "--keep-slot", "--redact", "message:audit/who=hash", "--redact",
                    "message:token=drop"});
  RunningTool recorder(words);
  REQUIRE(recorder.wait_for("streaming from"));
  const auto emit = [&](const std::string& transactional, const std::string& prefix,
                        const std::string& content) {
    postgres.exec("SELECT pg_logical_emit_message(" + transactional + ", '" + prefix + "', '" +
                  content + "')");
  };
  emit("true", "audit", R"({"who": "ann-name", "did": "kept-verb"})");
  emit("true", "audit", "ann-name is no JSON");
  emit("false", "token", "sec-ret");
  REQUIRE(all_confirmed(postgres));
  CHECK_THAT(recorder.error_text(), !Catch::Contains("in clear"));
  emit("true", "other", "kept-other");
  REQUIRE(recorder.wait_for("with the prefix \"other\" are stored in clear"));
  REQUIRE(all_confirmed(postgres));
  recorder.signal(SIGINT);
  CHECK(recorder.finish().status == 130);
  const Raw raw(archive);
  CHECK(raw.letters.at('M') == 4);  // each is there, whatever became of its content
  for (const char* secret : {"ann-name", "sec-ret"}) {
    CHECK(raw.bytes.find(secret) == std::string::npos);
  }
  for (const char* kept : {"kept-verb", "kept-other", "audit", "token"}) {
    CHECK(raw.bytes.find(kept) != std::string::npos);
  }
}

TEST_CASE("record kinds: a million small rows in one transaction take little memory, either way",
          "[record_kinds][.long]") {
  const PrivatePostgres::Settings settings = {{"max_wal_size", "2GB"}};
  PrivatePostgres postgres(settings);
  make_orders(postgres);
  const RecordingFolder folder;
  const bool streaming = GENERATE(false, true);
  std::vector<std::string> more = {"--slot", "s", "--count", "1000000"};
  if (streaming) more.push_back("--streaming");
  RunningTool recorder(record_words(postgres, folder / "rec", more));
  REQUIRE(recorder.wait_for("streaming from"));
  postgres.exec("INSERT INTO orders SELECT i, repeat('x', 100) FROM generate_series(1, 1000000) i");
  const long recording = peak_kib_to_the_end(recorder.pid());
  CHECK(recorder.finish().status == 0);
  CHECK(info_of(folder / "rec")["rows"] == 1'000'000);
  CHECK(recording < 64 * 1024);

  const PrivatePostgres target(settings);
  make_orders(target);
  RunningTool player(
      {"rtreplay", "play", folder / "rec", "--to",
       "postgresql://postgres@127.0.0.1:" + std::to_string(target.port()) + "/postgres", "--speed",
       "max"});
  const long playing = peak_kib_to_the_end(player.pid());
  CHECK(player.finish().status == 0);
  CHECK(target.value("SELECT count(*) FROM orders") == "1000000");
  CHECK(playing < 64 * 1024);
  WARN((streaming ? "streamed: " : "whole: ")
       << recording / 1024 << " MiB at most, " << playing / 1024 << " MiB to play it");
}

// rtreplay info, verify and play.
#include "rtreplay/sample.h"

using namespace rt;
using namespace rt::test;
using nlohmann::json;

TEST_CASE("info: counts what was committed, by relation and as a whole", "[rtreplay]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const Outcome end = run({"rtreplay", "info", scratch / "a.rtr", "--json"});
  CHECK(end.status == 0);
  const json found = json::parse(end.out);
  CHECK(found["transactions"] == 2);
  CHECK(found["rows"] == 9);
  CHECK(found["events"] == 1);
  CHECK(found["span_s"] == 0.02);
  CHECK(found["first_id"] == Position{commit_lsn(0), 0}.text());
  CHECK(found["last_id"] == "e-1");
  CHECK(found["largest_transaction_rows"] == 5);
  CHECK(found["cut_off_transactions"] == 1);
  CHECK(found["gaps"] == json{"the slot was lost"});
  CHECK(found["closed"] == true);
  CHECK(found["notes"]["slot"] == "test");
  const json& plain = found["relations"][1];
  CHECK(plain["name"] == "public.plain");
  CHECK(plain["inserts"] == 2);
  CHECK(plain["updates"] == 2);
  CHECK(plain["deletes"] == 1);
  CHECK(plain["truncates"] == 1);
  const Outcome text = run({"rtreplay", "info", scratch / "a.rtr"});
  CHECK(text.status == 0);
  CHECK_THAT(text.out, Catch::Contains("public.full"));
  CHECK_THAT(text.out, Catch::Contains("the slot was lost"));
}

TEST_CASE("info: a recording without an event is no error", "[rtreplay]") {
  const Scratch scratch;
  const ManualClock clock;
  archive::Writer::create(scratch / "a.rtr", origin(), moment(clock)).value();
  const Outcome end = run({"rtreplay", "info", scratch / "a.rtr", "--json"});
  CHECK(end.status == 0);
  const json found = json::parse(end.out);
  CHECK(found["rows"] == 0);
  CHECK(found["first_id"].is_null());
  CHECK(found["start"].is_null());
  CHECK(run({"rtreplay", "info", scratch / "a.rtr"}).status == 0);
  CHECK(run({"rtreplay", "cat", scratch / "a.rtr"}).out == "");
  CHECK(run({"rtreplay", "play", scratch / "a.rtr", "--to", "null"}).status == 0);
}

TEST_CASE("verify: sound is 0, damaged is 6 with each place named", "[rtreplay]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const Outcome sound = run({"rtreplay", "verify", scratch / "a.rtr"});
  CHECK(sound.status == 0);
  CHECK_THAT(sound.out, Catch::Contains("1 blocks"));
  const std::string bytes = read_file(scratch / "a.rtr");
  write_file(scratch / "cut.rtr", std::string_view(bytes).substr(0, bytes.size() / 2));
  const Outcome cut = run({"rtreplay", "verify", scratch / "cut.rtr"});
  CHECK(cut.status == 6);
  CHECK_THAT(cut.out, Catch::Contains("damaged at offset"));
}

TEST_CASE("play: everything that was committed comes out, in order, as fast as asked",
          "[rtreplay]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const Outcome cat = run({"rtreplay", "cat", scratch / "a.rtr"});
  for (const char* speed : {"max", "4", "0.5"}) {
    const Outcome end =
        run({"rtreplay", "play", scratch / "a.rtr", "--to", "stdout", "--speed", speed});
    CHECK(end.status == 0);
    CHECK(end.out == cat.out);
    CHECK_THAT(end.err, Catch::Contains("played 9 rows in 2 transactions"));
    CHECK_THAT(end.err, Catch::Contains("replay ratio"));
  }
  const Outcome twice = run(
      {"rtreplay", "play", scratch / "a.rtr", "--to", "stdout", "--speed", "max", "--loop", "2"});
  const auto once = json_lines(cat.out);
  const auto lines = json_lines(twice.out);
  REQUIRE(lines.size() == 2 * once.size());
  std::vector<std::string> ids;
  for (const json& line : lines) {
    if (line.contains("op")) ids.push_back(line["id"]);
  }
  // The second round's ids and times lie behind those of the first; the rows are the same.
  CHECK(std::is_sorted(ids.begin(), ids.end(), std::less_equal<>()));
  CHECK(lines.back()["id"] == "e-1~2");
  CHECK(lines[once.size()]["ts"] > once.front()["ts"]);
  CHECK(lines[once.size()]["new"] == once.front()["new"]);
}

TEST_CASE("play: from and until take whole transactions", "[rtreplay]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const auto rows = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"rtreplay", "play", scratch / "a.rtr", "--to",
                                      "stdout",   "-q",   "--speed",         "max"};
    words.insert(words.end(), more.begin(), more.end());
    std::size_t n = 0;
    for (const json& line : json_lines(run(words).out)) n += line.contains("op") ? 1u : 0u;
    return n;
  };
  CHECK(rows({"--from", Position{commit_lsn(1), 3}.text()}) == 5);
  CHECK(rows({"--until", Position{commit_lsn(0), 1}.text()}) == 4);
}

TEST_CASE("play: a dry run says what would happen and does nothing", "[rtreplay]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const Outcome end =
      run({"rtreplay", "play", scratch / "a.rtr", "--to", "null", "--speed", "4", "--dry-run"});
  CHECK(end.status == 0);
  CHECK_THAT(end.out, Catch::Contains("would play 9 rows in 2 transactions (largest 5 rows,"));
  CHECK_THAT(end.out,
             Catch::Contains("recorded span 0.020 s, longest pause 0.010 s; at 4x 0.005 s"));
  CHECK_THAT(end.out, Catch::Contains("table public.plain: 2 inserts, 2 updates, 1 deletes, 1 "));
  CHECK_THAT(end.out, Catch::Contains("1 updates lack large values"));
  CHECK_THAT(end.out, Catch::Contains("2 changes know their row by all columns"));
  CHECK_THAT(end.out, Catch::Contains("gap: the slot was lost"));
}

TEST_CASE("play: a replay that is later than allowed ends with 7, after all was played",
          "[rtreplay]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const auto play = [&](const char* allowed) {
    return run({"rtreplay", "play", scratch / "a.rtr", "--to", "null", "--max-late", allowed});
  };
  CHECK(play("1h").status == 0);
  const Outcome late = play("1ns");
  CHECK(late.status == 7);
  CHECK_THAT(late.err, Catch::Contains("the replay ran late"));
  CHECK_THAT(late.err, Catch::Contains("played 9 rows"));
  CHECK(play("soon").status == 2);
}

TEST_CASE("play: a table that is mapped is played under its other name", "[rtreplay]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const Outcome end = run({"rtreplay", "play", scratch / "a.rtr", "--to", "stdout", "--speed",
                           "max", "--map", "plain=archive.other"});
  CHECK(end.status == 0);
  CHECK_THAT(end.out, Catch::Contains("\"archive.other\"") && Catch::Contains("public.full") &&
                          !Catch::Contains("public.plain"));
  CHECK(run({"rtreplay", "play", scratch / "a.rtr", "--to", "null", "--map", "plain"}).status == 2);
}

TEST_CASE("play: a wrong target or speed is usage", "[rtreplay]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  CHECK(run({"rtreplay", "play", scratch / "a.rtr", "--to", "mars"}).status == 2);
  for (const char* speed : {"0", "-1", "fast", "0.001", "nan"}) {
    INFO(speed);
    CHECK(run({"rtreplay", "play", scratch / "a.rtr", "--to", "null", "--speed", speed}).status ==
          2);
  }
}

namespace {

// Three rows of task_run, each a transaction.
void write_runs(const std::string& path) {
  const ManualClock clock;
  auto writer = archive::Writer::create(path, origin(), moment(clock)).value();
  const std::string table = two_columns(3, "task_run", 'd', false);
  for (int t = 0; t < 3; ++t) {
    for (const std::string& body : {begin(commit_lsn(t), commit_time(t), 1),
                                    t == 0 ? table : std::string("O") + std::string(9, '\0'),
                                    change('I', 3, 'N' + tuple({"run_" + std::to_string(t), "x"})),
                                    commit(commit_lsn(t), end_lsn(t), commit_time(t))}) {
      REQUIRE(writer.append(wal(body, 1, kStart), clock.now()));
    }
  }
  REQUIRE(writer.close(clock.now()));
}

// What a subscriber, who is waited for, gets of it.
struct Served {
  std::vector<json> events;
  Outcome player;
};
Served serve_runs(const std::string& archive, std::vector<std::string> more) {
  std::vector<std::string> words = {"rtreplay", "play",     archive,       "--to",
                                    "sse",      "--listen", "127.0.0.1:0", "--await-subscribers",
                                    "1"};
  words.insert(words.end(), more.begin(), more.end());
  RunningTool player(words);
  REQUIRE(player.wait_for("waiting for 1 subscribers"));
  const std::string marker = "serving ";
  const std::string& said = player.error_text();
  const std::size_t at = said.find(marker) + marker.size();
  const std::string url = said.substr(at, said.find('\n', at) - at);
  const Outcome subscriber = run({"rtctl", "subscribe", url, "--format", "ndjson", "--count", "3"});
  CHECK(subscriber.status == 0);
  return {json_lines(subscriber.out), player.finish()};
}

}  // namespace

TEST_CASE("play: to sse it serves subscribers, who are waited for, and then says goodbye",
          "[rtreplay]") {
  const Scratch scratch;
  write_runs(scratch / "runs.rtr");
  const auto [events, player] = serve_runs(scratch / "runs.rtr", {});
  REQUIRE(events.size() == 3);
  for (int t = 0; t < 3; ++t) {
    CHECK(events[static_cast<std::size_t>(t)]["id"] == Position{commit_lsn(t), 0}.text());
  }
  CHECK(player.status == 0);
  CHECK_THAT(player.err, Catch::Contains("played 3 rows in 3 transactions"));
}

TEST_CASE("play: to sse ids can be fresh, and columns rewritten", "[rtreplay]") {
  const Scratch scratch;
  write_runs(scratch / "runs.rtr");
  const auto [events, player] =
      serve_runs(scratch / "runs.rtr", {"--ids", "fresh", "--rewrite", "task_run.note=null"});
  CHECK(player.status == 0);
  REQUIRE(events.size() == 3);
  std::string last = Position{commit_lsn(100), 0}.text();
  for (const json& event : events) {
    const std::string id = event["id"];
    CHECK(id > last);
    last = id;
    CHECK(event["data"].get<std::string>().find("\"note\":null") != std::string::npos);
  }
}
